import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from './guide.ts';

const pages = ['README.md', ...markdownBelow('docs'), ...markdownBelow('bench')];

function markdownBelow(folder: string): readonly string[] {
  if (!existsSync(path.join(projectRoot, folder))) return [];
  return readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => path.join(folder, file));
}

const textOf = (page: string): string =>
  readFileSync(path.join(projectRoot, page), 'utf8').replaceAll(/```.*?```/gs, '');

/** The anchors that GitHub gives to a page's headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = [...textOf(page).matchAll(/^#{1,6}\s+(.*)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[`*\\]|<[^>]*>/g, '')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
  const named = [...textOf(page).matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id);
  return new Set([...anchors, ...named]);
}

/** Links of a page that lead nowhere; links to other sites are not followed. */
function brokenLinks(page: string): readonly string[] {
  const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? page : path.join(path.dirname(page), decodeURIComponent(file));
    if (!existsSync(path.join(projectRoot, target))) return true;
    if (anchor === undefined || statSync(path.join(projectRoot, target)).isDirectory()) return false;
    return target.endsWith('.md') && !anchorsOf(target).has(anchor);
  });
}

describe('links', () => {
  it.each(pages)('of %s lead somewhere', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });
});
