import type { EventsRow } from '../events.ts';
import type { ServerName } from '../plan.ts';
import { TITLES } from '../servers.ts';
import { count, type Goal, goalsOf, verdictOf } from './goals.ts';
import { number } from './markdown.ts';
import type { Result } from './result.ts';

const COLORS: Readonly<Record<ServerName, string>> = {
  empty: '#9aa0a6',
  textbook: '#d1495b',
  'guerdon-redis': '#00798c',
  'guerdon-postgres': '#30638e',
  'guerdon-split': '#66a182',
};
const VERDICTS = { 'goal met': '#2e7d32', 'floor met': '#f9a825', 'NOT MET': '#c62828', 'not measured': '#9aa0a6' };

const WIDTH = 980;
const LEFT = 70;
const PLOT = { width: 520, height: 260 };
const BAR = 26;

/** The report as a picture: throughput against calls in flight, loads that are not spread evenly, and the goals. */
export function picture(result: Result): string {
  const parts: { height: number; draw(top: number): string[] }[] = [];
  const even = (result.events ?? []).filter(({ kind }) => kind === 'uniform');
  const skewed = (result.events ?? []).filter(({ kind }) => kind === 'zipf' || kind === 'hot');
  if (even.length > 0) parts.push({ height: PLOT.height + 90, draw: (top) => lines(even, top) });
  for (const row of skewed) {
    parts.push({ height: Object.keys(row.figures).length * BAR + 60, draw: (top) => bars(row, top) });
  }
  const goals = goalsOf(result);
  parts.push({ height: goals.length * BAR + 60, draw: (top) => verdicts(goals, top) });
  let height = 20;
  const drawn = parts.flatMap((part) => {
    const top = height;
    height += part.height;
    return part.draw(top);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

/** Both axes are logarithmic: the servers are far apart. */
function lines(rows: readonly EventsRow[], top: number): string[] {
  const names = Object.keys((rows[0] as EventsRow).figures) as ServerName[];
  const rates = rows.flatMap(({ figures }) => Object.values(figures).map(({ perSecond }) => perSecond));
  const least = 10 ** Math.floor(Math.log10(Math.max(1, Math.min(...rates))));
  const most = 10 ** Math.ceil(Math.log10(Math.max(10, ...rates)));
  const loads = rows.map(({ load }) => load);
  const across = Math.log2(Math.max(2, Math.max(...loads) / Math.min(...loads)));
  const x = (load: number): number => LEFT + (PLOT.width * Math.log2(load / Math.min(...loads))) / across;
  const bottom = top + 30 + PLOT.height;
  const y = (rate: number): number =>
    bottom - (PLOT.height * Math.log(Math.max(rate, least) / least)) / Math.log(most / least);
  const drawn = [title('Events a second against calls in flight (logarithmic)', top)];
  for (let rate = least; rate <= most; rate *= 10) {
    drawn.push(`<line x1="${LEFT}" x2="${LEFT + PLOT.width}" y1="${y(rate)}" y2="${y(rate)}" stroke="#e0e0e0"/>`);
    drawn.push(text(LEFT - 8, y(rate) + 4, count(rate), 'end'));
  }
  for (const load of loads) drawn.push(text(x(load), bottom + 20, String(load), 'middle'));
  drawn.push(text(LEFT + PLOT.width / 2, bottom + 40, 'calls in flight', 'middle'));
  for (const [place, name] of names.entries()) {
    const points = rows.map(
      ({ load, figures }) => `${x(load).toFixed(1)},${y(figures[name]?.perSecond ?? 0).toFixed(1)}`,
    );
    const color = COLORS[name];
    drawn.push(`<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="2.5"/>`);
    for (const point of points) {
      const [cx, cy] = point.split(',');
      drawn.push(`<circle cx="${cx}" cy="${cy}" r="4" fill="${color}"/>`);
    }
    const at = top + 50 + place * 22;
    drawn.push(`<rect x="${LEFT + PLOT.width + 25}" y="${at - 10}" width="12" height="12" fill="${color}"/>`);
    drawn.push(text(LEFT + PLOT.width + 43, at, TITLES[name], 'start'));
  }
  return drawn;
}

/** One load, a bar a server, with its ratio to the textbook server. */
function bars({ title: what, figures }: EventsRow, top: number): string[] {
  const names = Object.keys(figures) as ServerName[];
  const rate = (name: ServerName): number => figures[name]?.perSecond ?? 0;
  const most = Math.max(...names.map(rate));
  return [
    title(`Events a second, ${what}`, top),
    ...names.flatMap((name, place) => {
      const at = top + 30 + place * BAR;
      const width = (300 * rate(name)) / most;
      return [
        text(265, at + 14, TITLES[name], 'end'),
        `<rect x="275" y="${at}" width="${width.toFixed(1)}" height="18" fill="${COLORS[name]}"/>`,
        text(
          285 + width,
          at + 14,
          `${count(rate(name))}  (${number(rate(name) / (rate('textbook') || Number.NaN))}×)`,
          'start',
        ),
      ];
    }),
  ];
}

/** One goal a line: how far the measured ratio is from its floor, in units of the floor. */
function verdicts(goals: readonly Goal[], top: number): string[] {
  const scale = 120;
  const zero = 600;
  return [
    title('Against the goals: the bar is what was measured, the line the floor, both as shares of the floor', top),
    `<line x1="${zero + scale}" x2="${zero + scale}" y1="${top + 28}" y2="${top + 28 + goals.length * BAR}" stroke="#424242"/>`,
    ...goals.flatMap((goal, place) => {
      const at = top + 30 + place * BAR;
      const { measured, floor, unit, what, more } = goal;
      const width = measured === undefined ? 0 : Math.min(2.2, measured / floor) * scale;
      const shown =
        measured === undefined ? 'not measured' : `${number(measured)} ${unit} (${more ? '≥' : '≤'} ${floor})`;
      return [
        text(zero - 10, at + 14, what, 'end'),
        `<rect x="${zero}" y="${at}" width="${width.toFixed(1)}" height="18" fill="${VERDICTS[verdictOf(goal)]}"/>`,
        text(zero + Math.max(width, scale) + 8, at + 14, shown, 'start'),
      ];
    }),
  ];
}

function title(what: string, top: number): string {
  return `<text x="20" y="${top + 14}" font-size="16" font-weight="bold">${escaped(what)}</text>`;
}

function text(x: number, y: number, what: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(what)}</text>`;
}

function escaped(what: string): string {
  return what.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
