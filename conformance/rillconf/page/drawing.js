// SPDX-License-Identifier: MIT
// The exchange as a picture: the app's line on the left, the peers' on the right, time from top to bottom.
const LETTER = 7.3;         // width of a letter in pixels, as the style sheet sets the drawing
const ROW = 22;
const SENDS = /^(write\w*|close|abort|start_tls)\b/;
const PEER_SENDS = /^(send|shutdown|close|reset|connect|eof|cut|raw|start-tls|key-update|renegotiate|ticket)\b/;
const RESULT = /^([\w.@]+) (->|!) /;

function svg(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// Statements between semicolons that stand outside of quotes; a comment is left out.
function statements(text) {
  const found = [''];
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted && char === '\\') {
      found[found.length - 1] += char + text[++at];
      continue;
    }
    if (char === '"') {
      quoted = !quoted;
    } else if (!quoted && char === '#') {
      break;
    } else if (!quoted && char === ';') {
      found.push('');
      continue;
    }
    found[found.length - 1] += char;
  }
  return found.map((part) => part.trim()).filter(Boolean);
}

function lastLine(source) {
  return source.slice(source.lastIndexOf('\n') + 1);
}

// What a step of the script does, as marks of the drawing.
function marksOfStep(source) {
  const line = lastLine(source).trim().replace(/^go\s+/, '');
  const found = /^(app|peer)(?:@(\d+))?\s+(.*)$/.exec(line);
  if (!found) {
    return statements(line).map((text) => ({ kind: /^clock\b/.test(text) ? 'clock' : 'app', class: 'other', text: text }));
  }
  const peer = Number(found[2] || 1);
  return statements(found[3]).map((text) => {
    const call = text.replace(/^\w+\s*=\s*/, '');
    const sends = found[1] === 'app' ? SENDS.test(call) : PEER_SENDS.test(call);
    return { kind: sends ? (found[1] === 'app' ? 'out' : 'in') : found[1], class: 'starts', text: text, peer: peer };
  });
}

// What the transcript tells of a step; the state layer is left to the columns.
function marksOfLines(lines) {
  const marks = [];
  for (const line of lines) {
    const peer = /^peer(?:@(\d+))? (got|end|session) (.*)$/.exec(line);
    const result = RESULT.exec(line);
    if (peer) {
      marks.push({ kind: 'peer', class: 'tells', text: peer[2] + ' ' + peer[3], peer: Number(peer[1] || 1) });
    } else if (result) {
      marks.push({ kind: 'app', class: result[2] === '!' ? 'fails' : 'returns', text: line });
    } else if (!/^(state|now)[@ ]/.test(line)) {
      marks.push({ kind: 'app', class: 'other', text: line });
    }
  }
  return marks;
}

function marksOf(item, transcript) {
  const marks = [];
  for (let step = 1; step <= item.s.length + 1; step++) {
    const source = item.s[step - 1];
    const told = transcript[step] ? marksOfLines(transcript[step].split('\n')) : [];
    if (source === undefined && told.length) {
      marks.push({ kind: 'clock', class: 'end', text: 'end', step: step });
    }
    for (const mark of (source === undefined ? [] : marksOfStep(source)).concat(told)) {
      marks.push(Object.assign(mark, { step: step }));
    }
  }
  return marks;
}

function label(text, x, y, anchor, room, name) {
  const most = Math.max(4, Math.floor(room / LETTER));
  const shown = text.length > most ? text.slice(0, most - 1) + '…' : text;
  return svg('text', { x: x, y: y, 'text-anchor': anchor, class: name }, shown,
    text === shown ? null : svg('title', {}, text));
}

// One mark at height y, between the app's line at `left` and its peer's line. Texts keep left of the first peer's line, so that
// no line crosses them; those of other peers say whose they are.
function drawMark(mark, y, left, right, width) {
  const peer = right(mark.peer || 1);
  const [edge, whose] = [right(1) - 12, mark.peer > 1 ? mark.peer + ': ' : ''];
  const room = edge - left - 12;
  if (mark.kind === 'clock') {
    return [svg('line', { x1: 4, x2: width - 4, y1: y, y2: y, class: 'clock' }),
      label(mark.text, (left + right(1)) / 2, y - 5, 'middle', room, 'label-clock')];
  }
  if (mark.kind === 'in' || mark.kind === 'out') {
    const [from, to, tip] = mark.kind === 'out' ? [left, peer, -1] : [peer, left, 1];
    return [svg('line', { x1: from, x2: to + 3 * tip, y1: y, y2: y, class: 'arrow' }),
      svg('path', { d: 'M' + to + ' ' + y + 'l' + 8 * tip + ' -4v8z', class: 'tip' }),
      label(whose + mark.text, mark.kind === 'out' ? left + 12 : edge, y - 5, mark.kind === 'out' ? 'start' : 'end', room, 'label-arrow')];
  }
  const app = mark.kind === 'app';
  return [svg('circle', { cx: app ? left : peer, cy: y, r: 4.5, class: 'dot ' + mark.class }),
    label(whose + mark.text, app ? left + 12 : edge, y + 4, app ? 'start' : 'end', room, 'label ' + mark.class)];
}

function heightOf(mark) {
  return mark.kind === 'clock' ? ROW + 6 : ROW;
}

// The drawing, as wide as there is room. `difference` is the step where transcripts part, or 0.
function drawExchange(item, transcript, difference, width) {
  const marks = marksOf(item, transcript);
  const peers = Math.max(...marks.map((mark) => mark.peer || 1));
  const [left, gap] = [16, Math.min(44, width / (4 * peers))];
  const right = (peer) => width - 16 - (peers - peer) * gap;
  const height = 44 + marks.reduce((sum, mark) => sum + heightOf(mark), 0);
  const drawing = svg('svg', { viewBox: '0 0 ' + width + ' ' + height, width: width, height: height, role: 'img', class: 'exchange',
    'aria-label': 'The exchange of ' + item.n + ': what the app and its peer do, step by step, as in the transcripts' });
  let y = 22;
  for (const mark of marks) {
    y += heightOf(mark);
    if (mark.step === difference) {
      drawing.append(svg('rect', { x: 0, y: y - heightOf(mark) + 6, width: width, height: heightOf(mark), class: 'here' }));
    }
  }
  drawing.append(label('app', left - 10, 14, 'start', 80, 'line-name'));
  for (let peer = 1; peer <= peers; peer++) {
    drawing.append(label(peers > 1 ? (peer === 1 ? 'peer 1' : String(peer)) : 'peer', right(peer) + 10, 14, 'end', 80, 'line-name'),
      svg('line', { x1: right(peer), x2: right(peer), y1: 22, y2: height - 8, class: 'life' }));
  }
  drawing.append(svg('line', { x1: left, x2: left, y1: 22, y2: height - 8, class: 'life' }));
  y = 22;
  for (const mark of marks) {
    y += heightOf(mark);
    drawing.append(...drawMark(mark, y, left, right, width));
  }
  return drawing;
}
