/** What the tests read out of a page: its fences, links and anchors. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import MarkdownIt from 'markdown-it';

export const ROOT = join(__dirname, '../..');

/** Every page that people read: README, CONTRIBUTING, … and docs/. Paths from the root. */
export function pages(): string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true }) as string[];
  return [
    ...top,
    ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name.replaceAll('\\', '/')}`),
  ].sort();
}

/**
 * One ``` block. ```js file=server.js → language 'js', words { file: 'server.js' }. What a page needs and readers do not, such
 * as a second address, stands in a comment: `<!-- test sh`, commands, `-->`.
 */
export interface Fence {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  readonly words: Readonly<Record<string, string>>;
  readonly code: string;
  /** Between the markers of a script, which writes it: `<!-- name: … -->` … `<!-- /name -->`, `<!-- help … -->` … `<!-- end -->`. */
  readonly generated: boolean;
}

const parser = new MarkdownIt({ html: true });

export function fences(page: string): Fence[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const lines = text.split('\n');
  const blocks = parser.parse(text, {}).flatMap(({ type, info, map, content }) => {
    const line = (map?.[0] ?? 0) + 1;
    if (type === 'fence') return [{ info, code: content, line }];
    return [...content.matchAll(HIDDEN)]
      .filter(() => type === 'html_block')
      .map(([all, info = '', code = '']) => ({
        info,
        code,
        line: line + content.slice(0, content.indexOf(all)).split('\n').length - 1,
      }));
  });
  return blocks.map(({ info, code, line }) => {
    const [language = '', ...words] = info.trim().split(/\s+/);
    const before = lines.slice(0, line - 1).join('\n');
    const opened = before.match(/<!-- (?:[a-z]+: |help ).*-->/g)?.length ?? 0;
    const closed = before.match(/<!-- (?:\/[a-z]+|end) -->/g)?.length ?? 0;
    return {
      page,
      line: line + 1,
      language,
      words: Object.fromEntries(words.map(pair)),
      code,
      generated: opened > closed,
    };
  });
}

const HIDDEN = /<!-- test (.*)\n([\s\S]*?)-->/g;

/** `file=server.js` → ['file', 'server.js'] */
function pair(word: string): [string, string] {
  const at = word.indexOf('=');
  return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}

/** GitHub's: lower case, without punctuation, blanks become hyphens. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replace(/ /g, '-');
}

/** What may stand behind a page's #. */
export function anchors(page: string): Set<string> {
  const tokens = parser.parse(readFileSync(join(ROOT, page), 'utf8'), {});
  const found = new Set<string>();
  for (const [index, { type }] of tokens.entries()) {
    if (type !== 'heading_open') continue;
    const text = (tokens[index + 1]?.children ?? []).map(({ content }) => content).join('');
    let name = slug(text);
    for (let again = 1; found.has(name); again++) name = `${slug(text)}-${again}`;
    found.add(name);
  }
  return found;
}

/** Where links and pictures of a page lead, as written. */
export function targets(page: string): string[] {
  const tokens = parser.parse(readFileSync(join(ROOT, page), 'utf8'), {});
  const inline = tokens.flatMap(({ children }) => children ?? []);
  const written = inline.flatMap((token) => token.attrGet('href') ?? token.attrGet('src') ?? []);
  const html = [...tokens, ...inline].filter(({ type }) => type.startsWith('html')).map(({ content }) => content);
  return [
    ...written,
    ...html.flatMap((text) => [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, to]) => to as string)),
  ];
}

/** Files of ours that a page names as code: `socket/loop.ts`, `test/docs/page.ts`. */
export function namedFiles(page: string): string[] {
  const tokens = parser.parse(readFileSync(join(ROOT, page), 'utf8'), {}).flatMap(({ children }) => children ?? []);
  const code = tokens.filter(({ type }) => type === 'code_inline').map(({ content }) => content);
  return code.filter(
    (text) => !text.startsWith('dist/') && /^[\w-]+(\/[\w.-]+)+\.(ts|js|cjs|mjs|cts|sh|py|c|json)$/.test(text),
  );
}

export const exists = (path: string): boolean => existsSync(join(ROOT, path));
