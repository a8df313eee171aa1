import { expect, test } from 'vitest';
import { Parser } from '../../../../main/linux/shell/syntax/parser.ts';
import { ShellSyntaxError } from '../../../../main/linux/shell/syntax/syntax-error.ts';

function errorOf(source: string): ShellSyntaxError {
  try {
    new Parser(source).all();
  } catch (error) {
    if (error instanceof ShellSyntaxError) return error;
    throw error;
  }
  throw new Error(`no error in ${source}`);
}

test.each([
  ['echo a)', ')'],
  ['for i in a; echo $i; done', 'echo'],
  ['if true; echo x; fi', 'fi'],
  ['echo a ;; echo b', ';;'],
  ['| cat', '|'],
  ['echo a >\n', 'newline'],
  ['f( { echo; }', '{'],
  ['done', 'done'],
])('%j names the unexpected token %j', (source, token) => {
  const error = errorOf(source);
  expect(error.message).toBe(`syntax error near unexpected token \`${token}'`);
  expect(error.incomplete).toBe(false);
});

test.each([
  'echo "abc',
  "echo 'abc",
  'while true; do',
  'if x',
  '{ echo',
  '( echo',
  'echo $(ls',
  'case a in',
  'cat <<E\nx',
  'echo a &&',
  'f() {',
  'echo ${x',
  'a=(1 2',
  'echo \\\n',
  '[[ a && ',
  'for x in 1 2',
])('%j asks for more input', (source) => {
  expect(errorOf(`${source}`).incomplete).toBe(true);
});

test.each([
  'a=(1 [5]=x "y z") b[1]+=2 cmd "$@" 2>&1 >/dev/null <<<word',
  'for ((i=0; i<3; i++)) { echo $i; }',
  'select x in a b; do break; done',
  'case $x in (a|b) echo 1;;& *) ;; esac',
  '[[ $a =~ ^(x|y)+$ && ( -n $b || ! -f c ) ]] && ((x++)) || function f { :; }',
  'cat <<A <<-B; echo after\n$x\nA\n\t`y`\n\tB\n',
  'diff <(sort a) >(cat) {fd}>x 3<&- &>>all',
  'echo $(( (1+2)*3 )) $((cmd) | cat) ${x:-$(echo "}")} ${a[$((1+1))]} ${!p@} ${!a[*]} ${#a[@]}',
  'time -p ! true | false |& cat & wait',
  'if a; then b; elif c; then d; else e; fi; until x; do y; done',
  'x() ( subshell ) 2>err; y () { :; } >out',
  "echo $'a\\'b' $\"loc\" \\\n continued # comment",
  '! time true; coproc P { cat; }',
])('%j parses', (source) => {
  expect(() => new Parser(source, { extglob: true }).all()).not.toThrow();
});

test('a command that is complete comes before a later syntax error', () => {
  const parser = new Parser('echo one\necho )\n');
  expect(parser.next()?.items).toHaveLength(1);
  expect(() => parser.next()).toThrow(ShellSyntaxError);
});

test('an alias is replaced by its text, but not in itself', () => {
  const parser = new Parser('ls x; ll y', { alias: (name) => ({ ls: 'ls --color', ll: 'ls -l ' })[name] });
  const words = parser.all().items.map(({ command }) => {
    const simple = command.first.commands[0]!;
    return simple.kind === 'simple' ? simple.words.map(({ text }) => text) : [];
  });
  expect(words).toEqual([
    ['ls', '--color', 'x'],
    ['ls', '--color', '-l', 'y'],
  ]);
});

test('nesting without end is refused instead of overflowing the stack', () => {
  expect(errorOf('('.repeat(20_000)).message).toMatch(/nest|end of file|matching/);
  expect(errorOf(`echo ${'${a:-'.repeat(20_000)}`).message).toMatch(/nested|EOF/);
  expect(errorOf(`echo ${'$('.repeat(20_000)}`).message).toMatch(/nest|EOF/);
});
