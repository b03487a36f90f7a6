/**
 * Draws docs/picture.svg, the picture of README: the answer that comes back from the wrong address, beside the right one.
 * `node scripts/picture.js`; test/docs/picture.test.ts holds that the file is what this draws.
 */
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');

const FILE = join(__dirname, '../docs/picture.svg');
const WIDTH = 920;
const HEIGHT = 372;
const PANEL = { width: 436, height: 312 };

const INK = '#1f2933';
const FAINT = '#61707f';
const LINE = '#c3ccd5';
const WRONG = { line: '#c62828', fill: '#fdecea' };
const RIGHT = { line: '#2e7d32', fill: '#e8f5e9' };
const ASKED = { line: '#1565c0', fill: '#e3f2fd' };

const SANS = 'font-family="system-ui, -apple-system, \'Segoe UI\', Helvetica, Arial, sans-serif"';
const MONO = 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace"';

const text = (x, y, words, { size = 14, color = INK, weight = 400, anchor = 'start', font = SANS } = {}) =>
  `<text x="${x}" y="${y}" ${font} font-size="${size}" font-weight="${weight}" fill="${color}" text-anchor="${anchor}">${words}</text>`;

const box = (x, y, width, height, { line = LINE, fill = '#fff', dash = '', radius = 8 } = {}) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" fill="${fill}" stroke="${line}" stroke-width="1.5"${dash && ` stroke-dasharray="${dash}"`}/>`;

/** A packet on its way: an arrow, and on it a box with the two lines of its header that matter. */
function packet({ x1, y1, x2, y2 }, { line, fill }, from, to, strong) {
  const [x, y] = [(x1 + x2) / 2 - 66, (y1 + y2) / 2 - 20];
  const end = x2 > x1 ? x2 - 8 : x2 + 8; // the head of the arrow is 8 long
  const head = `${x2},${y2} ${end},${y2 - 5} ${end},${y2 + 5}`;
  const row = (at, label, address) =>
    text(x + 9, at, label, { size: 11, color: FAINT }) +
    text(x + 38, at, address, {
      size: 12,
      font: MONO,
      weight: label === strong ? 700 : 400,
      color: label === strong ? line : INK,
    });
  return [
    `<line x1="${x1}" y1="${y1}" x2="${end}" y2="${y2}" stroke="${line}" stroke-width="2"/>`,
    `<polygon points="${head}" fill="${line}"/>`,
    box(x, y, 132, 40, { line, fill, radius: 5 }),
    row(y + 16, 'from', from),
    row(y + 32, 'to', to),
  ];
}

function panel(left, title, right) {
  const mark = right ? RIGHT : WRONG;
  const client = { x: left + 16, y: 106, width: 92, height: 148 };
  const host = { x: left + 284, y: 92, width: 136, height: 176 };
  const address = (y, words, note, colors) => [
    box(host.x + 10, y, host.width - 20, 40, colors),
    text(host.x + host.width / 2, y + 17, words, { size: 13, font: MONO, weight: 600, anchor: 'middle' }),
    text(host.x + host.width / 2, y + 32, note, { size: 11, color: FAINT, anchor: 'middle' }),
  ];
  const [first, second] = [host.y + 60, host.y + 118];
  const answer = {
    x1: host.x + 10,
    y1: right ? second + 32 : first + 14,
    x2: client.x + client.width,
    y2: right ? 244 : 122,
  };
  // above the right answer, and below the wrong one
  const [leaves, arrives] = right ? [182, second + 8] : [214, second + 20];
  const request = { x1: client.x + client.width, y1: leaves, x2: host.x + 10, y2: arrives };
  return [
    box(left, 44, PANEL.width, PANEL.height, { fill: '#fbfcfd' }),
    text(left + 16, 72, title, { size: 16, weight: 700, font: MONO }),
    box(client.x, client.y, client.width, client.height),
    text(client.x + client.width / 2, client.y + 64, 'client', { anchor: 'middle', weight: 600 }),
    text(client.x + client.width / 2, client.y + 82, '198.51.100.9', {
      anchor: 'middle',
      size: 11,
      font: MONO,
      color: FAINT,
    }),
    box(host.x, host.y, host.width, host.height),
    text(host.x + host.width / 2, host.y + 24, 'server', { anchor: 'middle', weight: 600 }),
    text(host.x + host.width / 2, host.y + 43, 'bind 0.0.0.0:53', {
      anchor: 'middle',
      size: 11,
      font: MONO,
      color: FAINT,
    }),
    ...address(first, '192.0.2.1', 'primary', right ? {} : { line: WRONG.line, fill: WRONG.fill }),
    ...address(second, '192.0.2.7', 'secondary, VIP', right ? { line: RIGHT.line, fill: RIGHT.fill } : {}),
    ...packet(request, ASKED, '198.51.100.9', '192.0.2.7', 'to'),
    ...packet(answer, mark, right ? '192.0.2.7' : '192.0.2.1', '198.51.100.9', 'from'),
    `<circle cx="${client.x + client.width - 14}" cy="${answer.y2}" r="11" fill="${mark.line}"/>`,
    text(client.x + client.width - 14, answer.y2 + 5, right ? '✓' : '✗', {
      size: 14,
      weight: 700,
      color: '#fff',
      anchor: 'middle',
    }),
    text(
      left + PANEL.width / 2,
      308,
      right
        ? 'The answer leaves from the address that was asked.'
        : 'The kernel chooses the source. The client drops the answer:',
      { anchor: 'middle', size: 13 },
    ),
    text(left + PANEL.width / 2, 330, right ? ';; status: NOERROR' : ';; reply from unexpected source: 192.0.2.1#53', {
      anchor: 'middle',
      size: 12,
      font: MONO,
      color: mark.line,
    }),
  ];
}

function picture() {
  const title =
    'A client asks 192.0.2.7. With node:dgram the answer comes from 192.0.2.1 and is dropped; with recvfromto it comes from 192.0.2.7.';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="12" fill="#fff"/>`,
    text(WIDTH / 2, 28, 'One host, two addresses. A client asks the second one.', {
      size: 16,
      weight: 600,
      anchor: 'middle',
    }),
    ...panel(16, 'node:dgram', false),
    ...panel(WIDTH - 16 - PANEL.width, 'recvfromto', true),
    '</svg>',
    '',
  ].join('\n');
}

module.exports = { FILE, picture };
if (require.main === module) writeFileSync(FILE, picture());
