// What comparing thousands of random scripts with the real bash has found: one sentence for each kind of bug.
import { expect, test } from 'vitest';
import { bash } from '../../../../main/linux/shell/index.ts';
import { makeBareMachine, run } from '../../../support/make-machine.ts';
import { allPrograms } from '../../../parity/shell/harness.ts';

/** Name, script, standard output, and standard error where there is one. */
type Case = readonly [name: string, script: string, stdout: string, stderr?: string];

const CASES: readonly Case[] = [
  [
    'the value of a local array is expanded before the local hides the outer one',
    'a=(1 2); f() { local a=("${a[@]}" 3); echo "${a[@]}"; }; f; echo "${#a[@]}"',
    '1 2 3\n2\n',
  ],
  [
    'what braces put behind a variable becomes part of its name',
    'c=x c1=one c2=two; echo $c{1..2}',
    'one two\n',
  ],
  [
    'a subscript before the first element is told of and gives nothing',
    'a=(1); echo "[${a[-9]}]" $?',
    '[] 0\n',
    'bash: line 1: a: bad array subscript\n',
  ],
  [
    'a variable is looked up as soon as arithmetic reads its name',
    'b="Hello World"; echo $((a b)); echo no',
    '',
    'bash: line 1: Hello World: syntax error in expression (error token is "World")\n',
  ],
  [
    'a constant that is wrong cuts the expression short in the message',
    'echo $((1 + 8#9 + 2))',
    '',
    'bash: line 1: 1 + 8#9: value too great for base (error token is "8#9")\n',
  ],
  [
    'an error in a slice names the parameter',
    'a=abc; echo ${a:1 2}',
    '',
    'bash: line 1: a: 1 2: syntax error in expression (error token is "2")\n',
  ],
  [
    'a bad substitution repeats all of the word it stands in',
    'echo "pre ${a b} post"',
    '',
    'bash: line 1: pre ${a b} post: bad substitution\n',
  ],
  [
    'what the redirections of a program assign is lost on the shell',
    'a=1; cat <<< $((a++)); echo $a; echo x <<< $((a++)); echo $a',
    '1\n1\nx\n2\n',
  ],
  [
    'a failing expansion in the redirection of a program fails only the program',
    'cat <<< ${a b}; echo after $?',
    'after 1\n',
    'bash: line 1: ${a b}: bad substitution\n',
  ],
  [
    'a bad [[ says one thing and ends the input',
    'echo a\n[[ a b ]]\necho c',
    'a\n',
    'bash: -c: line 2: conditional binary operator expected\n',
  ],
  [
    'traps of signals and of the exit count their lines from 1',
    ":\ntrap 'echo $LINENO' EXIT USR1; kill -USR1 $$",
    '1\n1\n',
  ],
  [
    'the RETURN trap of the caller stays out of a function, its own is run once',
    "trap 'echo out' RETURN; f() { :; }; f; trap - RETURN; g() { trap 'echo in $?' RETURN; return 2; }; g; echo $?",
    'in 0\n2\n',
  ],
  [
    'BASH_COMMAND stays the command that the trap is for',
    'trap \'echo "<$BASH_COMMAND>"\' DEBUG; true a; case x in y) ;; esac; trap - DEBUG',
    '<true a>\n<case x in >\n<trap - DEBUG>\n',
  ],
  [
    'the last of a pipeline runs in the shell itself with lastpipe',
    'shopt -s lastpipe; echo a b | read x y; echo "$y" "${PIPESTATUS[@]}"',
    'b 0 0\n',
  ],
  ['set -k takes assignments from among the arguments', 'set -k; env z=1 | grep ^z=', 'z=1\n'],
  [
    'local - puts the options back when the function ends',
    'f() { local -; set -f; echo $-; }; f | grep -c f; echo $- | grep -c f',
    '1\n0\n',
  ],
  ['an exported function reaches a bash below', 'f() { echo "f $1"; }; export -f f; bash -c "f 1"', 'f 1\n'],
  [
    'alternatives match as far as they can, not the first that fits',
    '[[ abc =~ a|ab|abc ]]; echo "${BASH_REMATCH[0]}"',
    'abc\n',
  ],
  [
    'a regular expression that is wrong gives 2',
    'for re in "a{1,x" "*a" "(a" "[[:x:]]"; do [[ a =~ $re ]]; echo $?; done',
    '2\n2\n2\n2\n',
  ],
  [
    'the list of select stands in columns that tabs lead to',
    'select s in abc one "two three" 3 "" five; do break; done <<< 1',
    '',
    '1) abc\t      3) two three  5) \n2) one\t      4) 3\t    6) five\n#? ',
  ],
  [
    'a slice of an associative array counts from 1',
    'declare -A m=([k]=v); echo "${m[@]:1:1}" "${m[@]:0:1}"',
    'v v\n',
  ],
  ['a slice of all of a plain variable cuts its text', 'a=abc; echo "${a[@]:1:1}"', 'b\n'],
  [
    'an empty match is replaced, and the character behind it kept',
    'shopt -s extglob; a=\'p 2\'; echo "${a//*([a-z])/-}"',
    '-- -2\n',
  ],
  ["in double quotes a default's $'…' is decoded", `echo "\${x-$'a\\tb'}"`, 'a\tb\n'],
  [
    'a separator that is not blank keeps the empty among unquoted $@',
    "set -- a '' b; IFS=:; printf '<%s>' $@ $*",
    '<a><><b><a><><b>',
  ],
  [
    'break 0 leaves the loop with status 1',
    'for i in 1 2; do break 0; done; echo $?',
    '1\n',
    'bash: line 1: break: 0: loop count out of range\n',
  ],
  [
    'too many arguments for shift end a -c string',
    'shift 1 2\necho no',
    '',
    'bash: line 1: shift: too many arguments\n',
  ],
  [
    'a declaration shows read-only before lower case, and two case attributes cancel each other',
    'declare -lr a=AB; declare -p a; declare -ul b=Ab; declare -p b; declare -c c=hELLO; echo $c',
    'declare -rl a="ab"\ndeclare -- b="Ab"\nHello\n',
  ],
  [
    'a reference to itself or to what is no name is refused',
    'declare -n r=r; declare -n s=1x; echo $?',
    '1\n',
    "bash: line 1: declare: r: nameref variable self references not allowed\nbash: line 1: declare: `1x': invalid variable name for name reference\n",
  ],
  [
    'an ended job is forgotten when a program has been waited for',
    'false & sleep 0.1; wait %1; echo $?',
    '127\n',
    'bash: line 1: wait: %1: no such job\n',
  ],
  [
    'simple commands of a pipeline are no subshell',
    'echo $BASH_SUBSHELL | cat; { echo $BASH_SUBSHELL; } | cat',
    '0\n1\n',
  ],
  ['process substitutions count down from 63', 'echo <(:) <(:)', '/dev/fd/63 /dev/fd/62\n'],
  [
    'coproc runs a command at the end of two pipes',
    'coproc cat; echo hi >&${COPROC[1]}; read -r x <&${COPROC[0]}; exec {COPROC[1]}>&-; wait $COPROC_PID; echo "$x $? ${#COPROC[@]}"',
    'hi 0 0\n',
  ],
  [
    'the last command of a -c string takes the process over',
    'echo $$; bash -c \'sh -c "echo \\$PPID"\'; :',
    '901\n901\n',
  ],
  ['declare with braces declares each of the words', 'declare a={1,2} b=3; echo $a $b', '2 3\n'],
  [
    'the value of an assignment is set before its redirection fails',
    'a=1 > /no/such; echo $a $?',
    '1 1\n',
    'bash: line 1: /no/such: No such file or directory\n',
  ],
  [
    'an alternative for all elements of an empty array is no word at all',
    'a=(); set -- "${a[@]+"${a[@]}"}"; echo $#',
    '0\n',
  ],
  [
    'a hyphen in a regular expression is a hyphen',
    '[[ 2024-01 =~ ^([0-9]{4})-([0-9]+)$ ]]; echo "${BASH_REMATCH[@]}"',
    '2024-01 2024 01\n',
  ],
  [
    'ulimit sets limits that programs below inherit',
    'ulimit -n 512; bash -c "ulimit -n; ulimit -Hn"; ulimit -n 4096; echo $?',
    '512\n512\n0\n',
  ],
];

test.each(CASES.map(([name, script, stdout, stderr]) => ({ name, script, stdout, stderr: stderr ?? '' })))(
  '$name',
  async ({ script, stdout, stderr }) => {
    const machine = makeBareMachine({
      programs: new Map([...(await allPrograms()), ['/usr/bin/bash', bash]]),
    });
    const result = await run(machine, ['bash', '-c', script], { cwd: '/tmp' });
    expect(machine.faults).toEqual([]);
    expect({ stdout: result.stdout, stderr: result.stderr }).toEqual({ stdout, stderr });
  },
);
