import type { Results } from './results.ts';

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly isOwn: boolean;
}

const width = 760;
const labelWidth = 190;
const valueWidth = 90;
const rowHeight = 24;
const titleHeight = 40;

/** The results as a picture: processor time an item and the price of a million, both on a logarithmic scale. */
export function picture({ slow, costs, machine, at }: Results): string {
  const bars = (slow?.contenders ?? []).map(({ name, cpuUs }) => ({
    label: name,
    value: cpuUs,
    text: `${cpuUs.toFixed(0)} µs`,
    isOwn: name === 'fanloop',
  }));
  const prices = (costs ?? []).map(({ name, usd }) => ({
    label: name,
    value: usd,
    text: `$${usd.toFixed(2)}`,
    isOwn: name === 'fanloop',
  }));
  const panels = [
    { title: `Processor time an item: ${slow?.title ?? ''}`, bars: sorted(bars) },
    { title: 'On AWS: a million calls of 200 ms, 2 % of which fail once', bars: sorted(prices) },
  ].filter((panel) => panel.bars.length > 0);
  const parts: string[] = [];
  let y = 8;
  for (const panel of panels) {
    parts.push(drawn(panel, y));
    y += titleHeight + rowHeight * panel.bars.length + 14;
  }
  const foot = `${machine}; ${at.slice(0, 10)}; logarithmic scale`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 22}" viewBox="0 0 ${width} ${y + 22}" font-family="system-ui, sans-serif" font-size="13">
<title>What Fanloop and others cost, in processor time and on AWS</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join('\n')}
<text x="12" y="${y + 8}" font-size="11" fill="#667085">${escaped(foot)}</text>
</svg>
`;
}

const sorted = (bars: readonly Bar[]): readonly Bar[] => [...bars].sort((a, b) => a.value - b.value);

function drawn({ title, bars }: { readonly title: string; readonly bars: readonly Bar[] }, top: number): string {
  const least = Math.min(...bars.map(({ value }) => value)) / 2;
  const most = Math.max(...bars.map(({ value }) => value));
  const room = width - labelWidth - valueWidth - 12;
  const lines = bars.map(({ label, value, text, isOwn }, n) => {
    const y = top + titleHeight + n * rowHeight;
    const length = Math.max(2, (room * Math.log(value / least)) / Math.log(most / least));
    const fill = isOwn ? '#2563eb' : '#b8c1cf';
    return [
      `<text x="${labelWidth - 10}" y="${y + 13}" text-anchor="end" fill="#1f2937"${isOwn ? ' font-weight="bold"' : ''}>${escaped(label)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="17" rx="2" fill="${fill}"/>`,
      `<text x="${(labelWidth + length + 7).toFixed(1)}" y="${y + 13}" fill="#1f2937">${escaped(text)}</text>`,
    ].join('\n');
  });
  return [
    `<text x="12" y="${top + 20}" font-size="14" font-weight="bold" fill="#111827">${escaped(title)}</text>`,
    ...lines,
  ].join('\n');
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
