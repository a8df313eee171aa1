// What a person would press to type a block of text at a shell's prompt.

const ENTER = '\r';
/** Ctrl-V makes the shell take the next key literally: a bare Tab would complete. */
const LITERAL_TAB = '\x16\t';

/** The keys for `text`, line by line, with Enter at the end. */
export function keysOf(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').replace(/\n+$/, '').split('\n');
  return lines.map((line) => line.replaceAll('\t', LITERAL_TAB) + ENTER).join('');
}

/** The shell command that writes `content` to `path`, as one would type it. */
export function writeFileCommand(path: string, content: string): string {
  const text = content.replace(/\n*$/, '\n');
  const lines = new Set(text.split('\n'));
  let delimiter = 'EOF';
  for (let number = 1; lines.has(delimiter); number++) delimiter = `EOF${number}`;
  return `cat > ${shellWord(path)} <<'${delimiter}'\n${text}${delimiter}`;
}

/** `word` as the shell takes it for one word; `~/` at its beginning keeps its meaning. */
function shellWord(word: string): string {
  if (/^[\w@%+=:,./~-]+$/.test(word)) return word;
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  return word.startsWith('~/') ? `~/${quoted(word.slice(2))}` : quoted(word);
}
