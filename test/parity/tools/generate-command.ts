// Random commands and pipelines of text tools over the fixture's files; one seed, one command.
import { makeRandom, type Random } from '../../../main/simulation/index.ts';

const FILES =
  'a.txt b.txt words nums table passwd csv utf8 crlf nonl empty blank tabs long text log seq sorted1 sorted2'.split(
    ' ',
  );

const PATTERNS = ['o', '^t', 'e$', '[aeiou]', 'an*a', 'foo', '[0-9]+', 'b.*r', '^$', '好', 'l\\{2\\}', '.'];

type Make = (r: Dice) => string;

/** What a generator asks for. */
class Dice {
  private readonly random: Random;
  constructor(random: Random) {
    this.random = random;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.integer(items.length)]!;
  }

  /** Each of these with probability one third, in order. */
  some(items: readonly string[]): string {
    return items.filter(() => this.random.integer(3) === 0).join(' ');
  }

  number(below: number): number {
    return this.random.integer(below);
  }

  file(): string {
    return this.pick(FILES);
  }
}

const quoted = (text: string): string => `'${text}'`;

/** Commands that read a file named last or stdin; `filter` ones may stand in a pipeline. */
const FILTERS: readonly Make[] = [
  (r) => `cat ${r.some(['-n', '-s', '-A', '-T', '-v'])}`,
  (r) => `head ${r.pick(['-n 2', '-n -2', '-c 9', '-c -9', '-1', ''])}`,
  (r) => `tail ${r.pick(['-n 2', '-n +2', '-c 9', '-c +9', '-1', ''])}`,
  (r) =>
    `sort ${r.some(['-r', '-u', '-s', '-f', '-b'])} ${r.pick(['', '-n', '-k2', '-k2,2n', '-t: -k3n', '-V', '-h', '-g'])}`,
  (r) => `uniq ${r.pick(['', '-c', '-d', '-u', '-i', '-f1', '-w2', '-D', '--group'])}`,
  (r) =>
    `cut ${r.pick(['-c1-3', '-c2-', '-b2', '-d: -f1', '-d: -f2-', "-d' ' -f1,3", '-f2', '-s -f1', '--complement -c1'])}`,
  (r) =>
    `tr ${r.pick(['a-z A-Z', '-d aeiou', '-s a-z', "-cd 'a-z\\n'", "'[:lower:]' '[:upper:]'", "' ' '\\n'", '-d 0-9'])}`,
  (r) => `wc ${r.pick(['', '-l', '-w', '-c', '-m', '-L', '-lw'])}`,
  (r) => `nl ${r.pick(['', '-ba', '-w3', '-s:', '-nrz', '-v5 -i2'])}`,
  (r) => `fold ${r.pick(['-w 10', '-s -w 12', '-b -w 7', '-w 3'])}`,
  (r) => `fmt ${r.pick(['', '-w 20', '-s', '-u -w 30', '-t'])}`,
  () => 'tac',
  () => 'rev',
  (r) => `expand ${r.pick(['', '-t4', '-i'])}`,
  (r) => `unexpand ${r.pick(['', '-a', '-t2'])}`,
  (r) => `paste ${r.pick(['-s', '-s -d,', '- -', '-d: - -'])}`,
  (r) => `od ${r.pick(['-c', '-x', '-An -tx1', '-b', '-td2', '-A d -c'])}`,
  (r) =>
    `grep ${r.some(['-i', '-v', '-n', '-c', '-w', '-x', '-o', '-h', '-A1', '-m2'])} ${r.pick(['', '-E', '-F'])} ${quoted(r.pick(PATTERNS))}`,
  (r) =>
    `sed ${r.pick(['', '-n', '-E'])} ${quoted(
      r.pick([
        's/o/0/g',
        's/a/b/2',
        '2d',
        '$p',
        '/o/d',
        '1,3s/e/E/',
        'y/abc/xyz/',
        '2q',
        'n;d',
        '$!N;s/\\n/ /',
        's/\\(.\\)\\(.\\)/\\2\\1/',
        '1!G;h;$!d',
        '/t/,/f/s/^/> /',
        '0~3d',
        '=',
        'l',
        's/[^,]*,//',
        '2i\\x',
        '$a end',
        's/.*/\\U&/',
      ]),
    )}`,
  (r) =>
    `awk ${quoted(
      r.pick([
        '{print $1}',
        '{print NF, NR}',
        'NR % 2',
        '{s += $2} END {print s}',
        'length > 4',
        '{print toupper($0)}',
        '{$2 = "x"; print}',
        'END {print NR}',
        '!seen[$1]++',
        '{gsub(/[aeiou]/, "#"); print}',
        '{print substr($0, 2, 3)}',
        'BEGIN {FS=":"} {print $NF}',
        '{n = split($0, a, ""); print n, a[1]}',
        '{printf "%-5s|%3d|%.2f\\n", $1, $2, $3}',
        '/o/ {c++} END {print c + 0}',
        '{print index($0, "e"), match($0, /[0-9]+/), RLENGTH}',
        'NR == 1, /t/',
        '{ x = x $0 } END { print length(x) }',
      ]),
    )}`,
  (r) => `xargs ${r.pick(['-n2', '-L1', '-I{} echo', '-d "\\n" -n1'])} echo`,
  () => 'md5sum',
  () => 'base64',
];

const ALONE: readonly Make[] = [
  (r) => `comm ${r.some(['-1', '-2', '-3'])} sorted1 sorted2`,
  (r) => `join ${r.pick(['', '-a1', '-v2', '-a1 -a2', '-o 1.2,2.2'])} join1 join2`,
  (r) => `diff ${r.pick(['', '-u', '-c', '-q', '-y', '-e', '-w', '-i'])} ${r.file()} ${r.file()}`,
  (r) =>
    `ls ${r.some(['-l --time-style=+T', '-a', '-F', '-r', '-1', '-S', '-p', '-Q', '-m', '-x', '-C'])} ${r.pick(['dir', 'a.txt', 'link', '-d dir', ''])}`,
  (r) => `find dir ${r.some(['-type f', "-name '*e*'", '-maxdepth 2', '-empty', '! -name one'])} | sort`,
  (r) => `seq ${r.pick(['5', '2 5', '1 2 9', '5 -1 1', '-w 8 11', '-s, 4', '0 0.5 2', "-f '%03g' 3"])}`,
  (r) =>
    `printf ${quoted(r.pick(['%d %s\\n', '%5d|%-5s|\\n', '%x %o\\n', '%.3f %s\\n', '%c%s\\n']))} ${r.number(1000)} ${r.pick(['abc', "'a b'", "''", '好'])}`,
  (r) =>
    `date -u -d '2024-0${1 + r.number(9)}-1${r.number(10)} ${r.number(24)}:30 ${r.pick(['+1 day', '2 weeks ago', 'next month', '', '-3 hours', 'yesterday'])}' '+${r.pick(['%F %T', '%c', '%a %b %e', '%s', '%j %U %V', '%I:%M %p'])}'`,
  (r) =>
    `expr ${r.number(20)} ${r.pick(["'+'", "'-'", "'*'", "'/'", "'%'", "'<'", "'='"])} ${1 + r.number(9)}`,
];

/** One command or pipeline. */
export function generateCommand(seed: string): string {
  const r = new Dice(makeRandom(seed));
  if (r.number(4) === 0) return r.pick(ALONE)(r);
  const stages = [`${r.pick(FILTERS)(r)} ${r.pick(['<', '<', '<'])} ${r.file()}`];
  for (let left = r.number(3); left > 0; left--) stages.push(r.pick(FILTERS)(r));
  return stages.join(' | ').replaceAll(/ +/g, ' ');
}
