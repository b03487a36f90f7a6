/** The places of a Markdown page that are written by a program. */

/** Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench -->`. @throws Error where there is no such place */
export function between(text: string, name: string, content: string): string {
  const open = `<!-- bench:${name} -->`;
  const start = text.indexOf(open);
  const end = text.indexOf('<!-- /bench -->', start);
  if (start < 0 || end < 0) throw new Error(`docs/speed.md: no place marked ${open} … <!-- /bench -->`);
  return `${text.slice(0, start)}${open}\n${content}\n${text.slice(end)}`;
}
