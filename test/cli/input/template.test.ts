import { describe, expect, it } from 'vitest';
import { shapeOf } from '../../../src/cli/input/shape.ts';
import { compileTemplate } from '../../../src/cli/input/template.ts';

const made = (template: unknown, record: unknown): unknown => compileTemplate(JSON.stringify(template))(record);

describe('compileTemplate', () => {
  it.each([
    [{ url: 'https://a.example/customers/{id}' }, { id: 7 }, { url: 'https://a.example/customers/7' }],
    ['https://a.example/{id}?q={q}', { id: 'a/b c', q: 'ü&x=1#' }, 'https://a.example/a%2Fb%20c?q=%C3%BC%26x%3D1%23'],
    ['https://a.example/{+path}', { path: 'x/y?z' }, 'https://a.example/x/y?z'],
    [{ url: '{url}' }, { url: 'https://b.example/a b' }, { url: 'https://b.example/a b' }],
    [
      { n: '{n}', text: 'n is {n}', deep: [{ x: '{a.b}' }] },
      { n: 5, a: { b: true } },
      { n: 5, text: 'n is 5', deep: [{ x: true }] },
    ],
    ['{a.b}', { 'a.b': 1, a: { b: 2 } }, 1],
    [
      { n: '{n:number}', ok: '{ok:boolean}', tags: '{tags:json}' },
      { n: ' 007 ', ok: 'True', tags: '["x"]' },
      { n: 7, ok: true, tags: ['x'] },
    ],
    ['https://a.example/{item}', 'x y', 'https://a.example/x%20y'],
    ['{item}', 42, 42],
    ['{{literal}} {x}', { x: 'X' }, '{literal} X'],
    ['no placeholder', {}, 'no placeholder'],
    [{ a: null, b: 1, c: '' }, {}, { a: null, b: 1, c: '' }],
    ['{x}', { x: null }, null],
    [JSON.parse('{"__proto__":"{x}"}'), { x: 1 }, JSON.parse('{"__proto__":1}')],
  ])('makes of %j and %j: %j', (template, record, item) => {
    expect(made(template, record)).toEqual(item);
  });

  it.each([
    ['{nr}', { id: 1, name: 'x' }, 'expected a field "nr", got id, name'],
    ['https://a.example/{id}', { id: '' }, 'expected {id} to have a value for the URL'],
    ['https://a.example/{id}', { id: null }, 'expected {id} to have a value for the URL'],
    ['https://a.example/{id}/x', { id: '..' }, 'expected {id} to be a part of a path'],
    ['{n:number}', { n: 'seven' }, 'expected {n} to be a number, got "seven"'],
    ['{n:number}', { n: '' }, 'expected {n} to be a number'],
    ['{n:boolean}', { n: '1' }, 'expected {n} to be a boolean'],
    ['{n:json}', { n: '{' }, 'expected {n} to be JSON'],
    ['a {x}', { x: { y: 1 } }, 'expected {x} to be a text or a number within a text'],
    ['{toString}', {}, 'expected a field "toString"'],
    ['{x}', 'text', '{item} is the whole of it'],
  ])('refuses for %j the record %j', (template, record, message) => {
    expect(() => made(template, record)).toThrow(message);
  });

  it.each([
    ['{"url": ', 'expected --map to be JSON'],
    ['"{id"', '--map: expected "}" behind "{id"'],
    ['"id}"', 'expected "{" before "}"'],
    ['"{}"', 'expected the name of a field between braces'],
  ])('refuses %s before any record', (json, message) => {
    expect(() => compileTemplate(json)).toThrow(message);
  });
});

describe('shapeOf', () => {
  it('is nothing where nothing is asked for', () => {
    expect(shapeOf({})).toBeUndefined();
  });

  it('gives each item method, headers, and body, and lets its own stand', () => {
    const shape = shapeOf({ header: ['Accept: text/csv', 'x-id: {id}'], method: 'POST', body: '{"id":"{id}"}' });
    expect(shape?.({ url: 'u', id: 3, headers: { accept: 'own' } })).toEqual({
      url: 'u',
      id: 3,
      method: 'POST',
      headers: { 'x-id': '3', accept: 'own' },
      body: { id: 3 },
    });
    expect(shapeOf({ method: 'HEAD' })?.('https://a.example')).toEqual({ url: 'https://a.example', method: 'HEAD' });
    expect(shapeOf({ body: 'plain {item}' })?.('x')).toEqual({ url: 'x', body: 'plain x' });
  });

  it('refuses a header without a name', () => {
    expect(() => shapeOf({ header: ['nothing'] })).toThrow('expected --header to be "name: value"');
  });
});
