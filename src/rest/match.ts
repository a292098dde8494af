import { unreadable } from './json.ts';
import type { RestRoute } from './route.ts';

export interface Match {
  /** The routes of the path, one a method. */
  routes: readonly RestRoute[];
  path: Record<string, string>;
}

interface Pattern {
  form: RegExp;
  names: readonly string[];
  literals: number;
  routes: RestRoute[];
}

/** Finds the routes of a path. */
export type Matcher = (path: string) => Match | undefined;

/**
 * A name in a pattern stands for one segment. The first name after `/users/` may hold several, where nothing else fits:
 * older clients do not encode the slashes in a user's id.
 */
export function matcherOf(routes: readonly RestRoute[]): Matcher {
  const exact = patternsOf(routes, () => '([^/]+)');
  const wide = patternsOf(
    routes.filter(({ path }) => path.startsWith('/users/{')),
    (before) => (before === '/users/' ? '(.+)' : '([^/]+)'),
  );
  return (path) => {
    const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    for (const pattern of [...exact, ...wide]) {
      const found = pattern.form.exec(plain);
      if (found !== null) {
        const values = pattern.names.map((name, index) => [name, decodeSegment(found[index + 1] ?? '')]);
        return { routes: pattern.routes, path: Object.fromEntries(values) };
      }
    }
    return undefined;
  };
}

/** Those with more words in them first: `/points/boosts` is no points system, `/users/a/b/metrics` no user. */
function patternsOf(routes: readonly RestRoute[], nameForm: (before: string) => string): Pattern[] {
  const patterns = new Map<string, Pattern>();
  for (const route of routes) {
    const parts = route.path.split(/(\{\w+\})/);
    const source = parts
      .map((part, index) => (part.startsWith('{') ? nameForm(parts[index - 1] ?? '') : part))
      .join('');
    const pattern = patterns.get(source) ?? {
      form: new RegExp(`^${source}$`),
      names: parts.filter((part) => part.startsWith('{')).map((part) => part.slice(1, -1)),
      literals: route.path.replace(/\{\w+\}/g, '').length,
      routes: [],
    };
    pattern.routes.push(route);
    patterns.set(source, pattern);
  }
  return [...patterns.values()].sort((a, b) => b.literals - a.literals);
}

/** A percent sign that begins no escape stands for itself: older clients send it as it is. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment.replace(/%(?![0-9a-fA-F]{2})/g, '%25'));
  } catch {
    throw unreadable('the path is not UTF-8, percent-encoded');
  }
}
