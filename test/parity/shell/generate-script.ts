// Random small scripts, from a seed: right ones, wrong ones, and right ones with a character or word misplaced.
import { makeRandom, type Random } from '../../../main/simulation/index.ts';
import { Grammar } from './grammar.ts';

/** How a script is given to bash. */
export type Way = 'command' | 'file' | 'stdin';

export interface GeneratedScript {
  readonly source: string;
  readonly way: Way;
}

const LINES_MAX = 7;
const DEPTH_MIN = 3;
const DEPTH_MAX = 8;
/** Characters that may turn up where they don't belong. */
const MISPLACED = `'"\`$(){}[]<>|&;\\\n#!*?~=+- `.split('');
const MISPLACED_SHARE = 0.03;

const PRELUDE = `shopt -s extglob
a=abc b="Hello World" c=5 x=/usr/nolib/x.tar.gz name=web-1 e= ptr=b aptr='arr[1]' expr='c + 1' re='^(a|b)+'
arr=(one "two three" 3 "" five) list=(9 8 7) sparse=([2]=s2 [5]=s5 [9]=s9)
declare -A m=([k]=v ["k 2"]='v 2')
declare -i n=4; declare -u up=Up; declare -l lo=Lo; declare -r ro=r; declare -n ref=a
set -- p1 "p 2" "" p4
`;

/** What scripts find in their directory: the same commands make it on the host. */
export const SETUP = `printf 'one two  three\\nb:c:d\\n\\n  last\\\\line\\n' > in.txt
mkdir -p glob/sub
printf 'A\\n' > glob/a.txt; : > glob/b.txt; : > glob/abc; : > glob/.hid; : > glob/sub/c.txt
printf 'echo "lib $# $1"\\nlibvar=1\\nreturn 3 2>/dev/null\\n' > lib.sh
`;

const DASH_PRELUDE = `a=abc b="Hello World" c=5 x=a:b::c e=
set -- p1 "p 2" "" p4
`;

const bashGrammar = new Grammar(new URL('grammar/', import.meta.url));
const dashGrammar = new Grammar(new URL('grammar-dash/', import.meta.url));

/** One script for a seed. */
export function generateScript(seed: number | string, shell: 'bash' | 'dash' = 'bash'): GeneratedScript {
  const grammar = shell === 'bash' ? bashGrammar : dashGrammar;
  const random = makeRandom(seed);
  const counter = { value: 0 };
  const lines: string[] = [];
  const count = 1 + random.integer(LINES_MAX);
  for (let i = 0; i < count; i++)
    lines.push(grammar.text('line', random, DEPTH_MIN + random.integer(DEPTH_MAX - DEPTH_MIN + 1), counter));
  let body = lines.join('\n');
  if (random.fraction() < MISPLACED_SHARE && !body.includes('kill')) body = misplace(body, random);
  const way = random.pick<Way>(['command', 'command', 'file', 'stdin']);
  const source =
    shell === 'bash'
      ? `${PRELUDE}${body}\necho "end $? \${#arr[@]} $c"\n`
      : `${DASH_PRELUDE}${body}\necho "end $? $c"\n`;
  return { source, way };
}

/** Leaves out, doubles, swaps or inserts a character or a word. */
function misplace(text: string, random: Random): string {
  const tokens = random.fraction() < 0.5 ? text.split(/(?<=[\s;()])|(?=[\s;()])/) : [...text];
  const at = random.integer(tokens.length);
  switch (random.integer(4)) {
    case 0:
      tokens.splice(at, 1);
      break;
    case 1:
      tokens.splice(at, 0, tokens[at] ?? '');
      break;
    case 2:
      tokens.splice(at, 0, random.pick(MISPLACED));
      break;
    default:
      tokens.splice(at, 2, tokens[at + 1] ?? '', tokens[at] ?? '');
  }
  return tokens.join('');
}
