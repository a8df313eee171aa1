// Random small scripts of builtins only, from a seed: expansions, arithmetic, loops, tests, arrays, printf, functions.
import { makeRandom, type Random } from '../../../main/simulation/index.ts';

/** Commands in one script. */
const STATEMENTS_MAX = 7;
const DEPTH_MAX = 3;

const TEXTS = [
  'abc',
  'Hello World',
  'a:b:c',
  '/usr/local/lib/x.tar.gz',
  '',
  '  two  spaces ',
  'x*y',
  'foo.bar.baz',
  '42',
  '-7',
  '日本語',
  "it's",
  'a,b,,c',
  'UPPER lower',
  '0',
  '1 2 3',
  '[x]',
  'a\\b',
  'tab\there',
  'é',
  '$HOME',
  '*.txt',
  '007',
  'aXbXc',
  '"q"',
];
const NAMES = ['a', 'b', 'c', 'x', 'name', 'unset_one'];
const ARRAYS = ['arr', 'list'];
const PATTERNS = [
  '*',
  '?',
  '[a-c]*',
  '*.*',
  '*b*',
  'a',
  '[!a]',
  '[[:upper:]]',
  '/*',
  '*/',
  '??',
  '[0-9]',
  'X',
  'o',
  "' '",
  '"*"',
  ':',
  'l',
  '[^b]',
  '*[lo]',
  '@(a|b)',
  '+([0-9])',
];

/** One script for a seed and number. */
export function generateScript(seed: number | string): string {
  return new Generator(makeRandom(seed)).script();
}

class Generator {
  private readonly random: Random;
  private depth = 0;
  private counter = 0;

  constructor(random: Random) {
    this.random = random;
  }

  private pick<T>(items: readonly T[]): T {
    return this.random.pick(items);
  }

  private chance(share: number): boolean {
    return this.random.fraction() < share;
  }

  script(): string {
    const lines = [
      'shopt -s extglob',
      'a=abc b="Hello World" c=5 x=/usr/local/lib/x.tar.gz name=web-1',
      'arr=(one "two three" 3 "" five)',
      'list=(9 8 7)',
      'set -- p1 "p 2" "" p4',
    ];
    const count = 2 + this.random.integer(STATEMENTS_MAX - 1);
    for (let i = 0; i < count; i++) lines.push(this.statement());
    lines.push('echo "end $? ${#arr[@]} $c"');
    return `${lines.join('\n')}\n`;
  }

  private quoted(text: string): string {
    const style = this.random.integer(3);
    if (style === 0) return `'${text.replaceAll("'", "'\\''")}'`;
    if (style === 1) return `"${text.replace(/["\\$`]/g, '\\$&')}"`;
    return `$'${text.replace(/['\\]/g, '\\$&').replaceAll('\t', '\\t')}'`;
  }

  private statement(): string {
    this.depth++;
    const simple: (() => string)[] = [
      () => this.show(),
      () => this.show(),
      () => this.show(),
      () => this.assignment(),
      () => this.printf(),
      () => this.arithmeticCommand(),
      () => this.arrayStatement(),
      () => this.read(),
      () => `${this.test()} && echo yes || echo no`,
      () => `echo "$(${this.show()})" "$?"`,
      () => `declare -p ${this.pick([...ARRAYS, 'a', 'c', 'name'])}`,
      () => this.misc(),
    ];
    const compound: (() => string)[] = [
      () => this.forLoop(),
      () => this.whileLoop(),
      () => `if ${this.test()}; then ${this.statement()}; else ${this.statement()}; fi`,
      () => this.caseCommand(),
      () => this.function(),
      () => `( ${this.statement()}; ${this.statement()} )`,
      () =>
        `{ ${this.statement()}; ${this.statement()}; } | while IFS= read -r line; do echo "<$line>"; done`,
      () =>
        `for ((i${this.depth}=0; i${this.depth}<${1 + this.random.integer(3)}; i${this.depth}++)); do ${this.statement()}; done`,
    ];
    const text = this.depth < DEPTH_MAX && this.chance(0.35) ? this.pick(compound)() : this.pick(simple)();
    this.depth--;
    return text;
  }

  private show(): string {
    const words = Array.from({ length: 1 + this.random.integer(3) }, () => this.word());
    return this.chance(0.5) ? `echo ${words.join(' ')}` : `printf '[%s]' ${words.join(' ')}; echo`;
  }

  private word(): string {
    const kind = this.random.integer(9);
    if (kind === 0) return this.quoted(this.pick(TEXTS));
    if (kind === 1) return `$((${this.arithmetic()}))`;
    if (kind === 2) return this.brace();
    if (kind === 3)
      return `${this.pick(['pre', '', '"q"'])}${this.expansion()}${this.pick(['post', '', "'s'"])}`;
    if (kind === 4) return this.arrayExpansion();
    const expansion = this.expansion();
    return this.chance(0.6) ? `"${expansion}"` : expansion;
  }

  private brace(): string {
    return this.pick([
      '{a,b}',
      '{1..3}',
      'x{a,b{1,2}}y',
      '{3..1}',
      '{a..e..2}',
      '{01..03}',
      '{a}',
      '{,x}z',
      '{a,b}{c,d}',
      '{-1..1}',
      "{'a b',c}",
      '{$a,$c}',
      '{1..2}{x,y}',
      'a{b,c',
      '{a,b}}',
    ]);
  }

  private expansion(): string {
    const name = this.pick([...NAMES, '1', '2', 'arr[1]', 'list[-1]', 'unset_two']);
    const text = this.pick(TEXTS.filter((each) => !/["'`$\\{}]/.test(each)));
    const pattern = this.pick(PATTERNS);
    const forms: (() => string)[] = [
      () => `\${${name}}`,
      () => (/^[a-z_]+$/.test(name) || /^[0-9]$/.test(name) ? `$${name}` : `\${${name}}`),
      () => `\${#${name}}`,
      () => `\${${name}${this.pick([':-', '-', ':+', '+'])}${text}}`,
      () => `\${${name}${this.pick(['#', '##', '%', '%%'])}${pattern}}`,
      () =>
        `\${${name}${this.pick(['/', '//', '/#', '/%'])}${pattern}/${this.pick(['R', '', '<&>', 'a b'])}}`,
      () => `\${${name}:${this.random.integer(5)}}`,
      () => `\${${name}:${this.random.integer(4)}:${this.random.integer(4)}}`,
      () => `\${${name}: -${1 + this.random.integer(3)}}`,
      () => `\${${name}${this.pick(['^', '^^', ',', ',,', '~', '~~'])}}`,
      () => `\${${name}${this.pick(['^^', ',,'])}${this.pick(['[a-m]', 'o', '[A-Z]'])}}`,
      () => `\${${name}@${this.pick(['Q', 'U', 'L', 'u', 'E'])}}`,
      () => '$#',
      () => '${!a}${a:+set}',
      () => `$(echo ${this.quoted(this.pick(TEXTS))})`,
      () => '$?',
    ];
    return this.pick(forms)();
  }

  private arrayExpansion(): string {
    const array = this.pick([...ARRAYS, 'arr']);
    const all = this.pick(['@', '*']);
    const pattern = this.pick(PATTERNS);
    const body = this.pick([
      `\${${array}[${all}]}`,
      `\${#${array}[${all}]}`,
      `\${!${array}[${all}]}`,
      `\${${array}[${all}]:${this.random.integer(3)}:${this.random.integer(3)}}`,
      `\${${array}[${all}]#${pattern}}`,
      `\${${array}[${all}]/${pattern}/_}`,
      `\${${array}[${all}]^^}`,
      `\${${array}[${all}]@Q}`,
      `\${${array}[${all}]:-none}`,
      `$${all}`,
      `\${${all}:2}`,
      `\${${all}%${pattern}}`,
      `\${${array}[$((${this.random.integer(4)}))]}`,
    ]);
    return this.chance(0.65) ? `"${body}"` : body;
  }

  private arithmetic(): string {
    const number = (): string =>
      this.pick([
        String(this.random.integer(20)),
        '0x1F',
        '010',
        '2#101',
        'c',
        'c',
        'list[0]',
        '${#a}',
        '-3',
        '1000000007',
        'unset_n',
      ]);
    const operator = this.pick([
      '+',
      '-',
      '*',
      '/',
      '%',
      '**',
      '<<',
      '>>',
      '&',
      '|',
      '^',
      '&&',
      '||',
      '<',
      '<=',
      '==',
      '!=',
      '>',
      ',',
    ]);
    const right =
      operator === '**' || operator === '<<' || operator === '>>' ? String(this.random.integer(6)) : number();
    const pair = `${number()} ${operator} ${right}`;
    return this.pick([
      pair,
      pair,
      `(${pair}) * ${number()}`,
      `!(${pair})`,
      `~${number()} + ${number()}`,
      `${number()} > 3 ? ${number()} : ${number()}`,
      `c++ + ++c`,
      `c += ${number()}`,
      `(c = ${number()}, c * 2)`,
      `${pair} + ${number()}`,
      `-${number()} ${this.pick(['+', '*'])} ${number()}`,
    ]);
  }

  private arithmeticCommand(): string {
    return this.pick([
      `((${this.arithmetic()})); echo $?`,
      `let 'z=${this.arithmetic().replaceAll("'", '')}'; echo $? $z`,
      `declare -i n=${this.random.integer(9)}+2; n+=3; echo $n`,
    ]);
  }

  private assignment(): string {
    const name = this.pick(['a', 'b', 'x', 'name']);
    return this.pick([
      `${name}=${this.word()}`,
      `${name}+=${this.quoted(this.pick(TEXTS))}`,
      `c=$((${this.arithmetic()}))`,
      `${name}=${this.quoted(this.pick(TEXTS))}`,
      `local_${name}=1 ${this.pick([':', 'true'])}`,
      `unset ${name}`,
    ]);
  }

  private printf(): string {
    const texts = (): string => this.quoted(this.pick(TEXTS));
    return this.pick([
      `printf '%s|%5s|%-5s|\\n' ${texts()} ${texts()} ${texts()}`,
      `printf '%d %i %05d %+d\\n' ${this.random.integer(100)} -${this.random.integer(100)} ${this.random.integer(1000)} 5`,
      `printf '%x %o %X %#x\\n' ${this.random.integer(500)} ${this.random.integer(500)} 255 16`,
      `printf '%q\\n' ${texts()} ${texts()}`,
      `printf '%b|' ${texts()} 'a\\tb\\n'; echo`,
      `printf '%c%c\\n' ${texts()} ${texts()}`,
      `printf '%.2f %e %g\\n' ${this.random.integer(100) / 8} 1234.5 0.0001`,
      `printf '%s\\n' "\${arr[@]}"`,
      `printf -v v '%03d' ${this.random.integer(50)}; echo $v`,
      `printf '%5.2s|%-*s|\\n' ${texts()} 6 ${texts()}`,
    ]);
  }

  private arrayStatement(): string {
    const array = this.pick(ARRAYS);
    return this.pick([
      `${array}+=(${this.word()})`,
      `${array}[${this.random.integer(8)}]=${this.word()}`,
      `unset '${array}[${this.random.integer(3)}]'; echo "\${!${array}[@]}"`,
      `${array}=(${this.word()} ${this.word()}); echo "\${#${array}[@]}"`,
      `declare -A m=([k]=v [k2]=${this.quoted(this.pick(TEXTS))}); m[z]=1; for k in "\${!m[@]}"; do echo "$k=\${m[$k]}"; done`,
      `for e in "\${${array}[@]}"; do printf '<%s>' "$e"; done; echo`,
      `${array}=([3]=x [1]=y z); echo "\${${array}[@]}" "\${!${array}[@]}"`,
      `mapfile -t ${array} <<< $'l1\\nl 2\\n'; echo "\${#${array}[@]}:\${${array}[1]}"`,
    ]);
  }

  private read(): string {
    const text = this.quoted(this.pick(TEXTS));
    return this.pick([
      `read -r u v w <<< ${text}; echo "$u|$v|$w"`,
      `IFS=: read -r u v <<< ${text}; echo "$u|$v"`,
      `IFS=, read -ra parts <<< ${text}; echo "\${#parts[@]} \${parts[1]}"`,
      `read -d: u <<< ${text}; echo "$u $?"`,
      `read -n 2 u <<< ${text}; echo "[$u]"`,
      `IFS=:; set -- $x; echo $# "$*"; IFS=$' \\t\\n'`,
      `while read -r l; do echo "=$l="; done <<< ${text}`,
    ]);
  }

  private test(): string {
    const value = (): string => (this.chance(0.5) ? `"${this.expansion()}"` : this.quoted(this.pick(TEXTS)));
    const number = (): string => String(this.random.integer(10));
    return this.pick([
      `[ ${value()} ${this.pick(['=', '!='])} ${value()} ]`,
      `[ ${number()} ${this.pick(['-eq', '-lt', '-gt', '-le', '-ne'])} ${number()} ]`,
      `[ ${this.pick(['-n', '-z'])} ${value()} ]`,
      `[[ ${value()} ${this.pick(['==', '!='])} ${this.pick(PATTERNS)} ]]`,
      `[[ ${value()} < ${value()} ]]`,
      `[[ ${value()} =~ ${this.pick(['^[a-z]+$', '([0-9]+)', '^(.)(.*)$', 'o', '[[:space:]]', '\\.'])} ]]`,
      `((${this.arithmetic()}))`,
      `[[ -n $a && ( $c -gt 3 || -z $b ) ]]`,
      `! [ -e /nonexistent ]`,
      `test ${number()} -lt ${number()} -a ${number()} -gt ${number()}`,
      `case ${value()} in ${this.pick(PATTERNS)}) true;; *) false;; esac`,
    ]);
  }

  private forLoop(): string {
    const variable = `v${this.depth}`;
    return `for ${variable} in ${this.word()} ${this.word()}; do ${this.pick(['', 'continue; ', `[ "$${variable}" = a ] && break; `])}echo "$${variable}"; ${this.statement()}; done`;
  }

  private whileLoop(): string {
    const variable = `n${this.counter++}`;
    return `${variable}=0; ${this.chance(0.5) ? `while [ $${variable} -lt ${1 + this.random.integer(3)} ]` : `until (( ${variable} >= ${1 + this.random.integer(3)} ))`}; do ((${variable}++)); ${this.statement()}; done`;
  }

  private caseCommand(): string {
    const word = this.chance(0.7) ? `"${this.expansion()}"` : this.expansion();
    const end = (): string => this.pick([';;', ';;', ';&', ';;&']);
    return `case ${word} in ${this.pick(PATTERNS)}|zz) echo one${end()} ${this.pick(PATTERNS)}) ${this.statement()}${end()} *) echo rest;; esac`;
  }

  private function(): string {
    const name = `f${this.counter++}`;
    return `${name}() { local a=$1 k; ${this.statement()}; echo "$FUNCNAME $# $a"; ${this.pick(['return 3', 'return', ':'])}; }; ${name} ${this.word()} ${this.word()}; echo "rc=$? $a"`;
  }

  private misc(): string {
    return this.pick([
      'set -- x y z; shift; echo "$@"',
      "trap 'echo trapped' EXIT",
      'while getopts "ab:" o -a -b val; do echo "$o $OPTARG"; done; OPTIND=1',
      'cat_() { while IFS= read -r l || [ -n "$l" ]; do echo "$l"; done; }; cat_ <<EOF\n$a ${b%% *} $((c+1))\n\\$x `echo bt`\nEOF',
      'eval "echo \\"$a\\" \'$c\'"',
      'echo ${PIPESTATUS[@]}; true | false | true; echo ${PIPESTATUS[@]}',
      'type f0 2>/dev/null; type -t echo if cd',
      'exec 3>&1; echo to3 >&3; exec 3>&-',
      'echo a >&2 2>/dev/null; echo err 1>&2',
      'set -o pipefail; false | true; echo $?; set +o pipefail',
      'declare -u up=hello; declare -l lo=HELLO; echo $up $lo',
      'declare -r ro=1; (ro=2; echo not reached); echo $?',
      'declare -n ref=a; ref=changed; echo $a; unset -n ref',
      'echo $(( $(echo 3) + `echo 4` ))',
      'alias q=echo; q x; unalias q',
      'false || { echo grp; } && echo and',
      'echo "${a:-${b:-${c}}}" "${unset_q:=assigned}" "$unset_q"',
      'set -e; (false; echo no); echo no',
      'set -u; echo ${undefined_v}; echo after',
      'echo {1..3}$a "${arr[@]:1:2}" ${arr[*]}',
      'IFS=-; echo "$*" "${arr[*]}"; unset IFS',
      'x="a b"; y=$x; z="$x"$y; echo $z',
      'printf "%s\\n" ~ ~/x "~" a~b x=~ 2>/dev/null',
      'time_=$SECONDS; [ $((SECONDS-time_)) -le 1 ] && echo quick',
      'let c=c*2 d=c+1; echo $c $d',
      'echo "a\\nb" -e "a\\nb"; echo -e "a\\tb\\x41\\u00e9"; echo -n x; echo',
    ]);
  }
}
