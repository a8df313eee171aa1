import { expect, test } from 'vitest';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { ash, bash, dash } from '../../../../main/linux/shell/index.ts';
import { makeBareMachine, run, type RunOptions, type RunResult } from '../../../support/make-machine.ts';

const cat: Program = async (proc) => {
  await proc.stdout.copyFrom(proc.stdin);
  return 0;
};
const sleep: Program = async (proc) => {
  await proc.sleep(Number(proc.argv[1]) * 1000);
  return 0;
};
const yes: Program = async (proc) => {
  for (;;) await proc.stdout.write('y\n');
};

async function sh(
  script: string,
  options: RunOptions & { files?: Record<string, string> } = {},
): Promise<RunResult> {
  const machine = makeBareMachine({
    programs: { '/usr/bin/bash': bash, '/usr/bin/cat': cat, '/usr/bin/sleep': sleep, '/usr/bin/yes': yes },
    files: options.files ?? {},
  });
  const result = await run(machine, ['bash', '-c', script], options);
  expect(machine.faults).toEqual([]);
  return result;
}

test('pipelines stream and end by SIGPIPE', async () => {
  const result = await sh('yes | { read a; read b; echo $a$b; }; echo "${PIPESTATUS[@]}"');
  expect(result.stdout).toBe('yy\n141 0\n');
});

test('a background job runs on while the shell does', async () => {
  const result = await sh('sleep 2 & echo started; wait $!; echo "$? after $SECONDS"');
  expect(result.stdout).toBe('started\n0 after 2\n');
});

test('an endless loop costs time and can be killed', async () => {
  const result = await sh('bash -c "while true; do :; done" & sleep 1; kill $!; wait $!; echo $?');
  expect(result.stdout).toBe('143\n');
});

test('a subshell changes nothing outside', async () => {
  const result = await sh('x=1; (x=2; cd /tmp; exit 3); echo $x $? $PWD');
  expect(result.stdout).toBe('1 3 /root\n');
});

test('redirections of a builtin are undone, those of exec last', async () => {
  const result = await sh(
    'echo a >f; echo b >>f; { echo c; echo d >&2; } >>f 2>&1; exec 5<f; read -u 5 x; read -u 5 y; exec 5<&-; echo $x$y; read -u 5 z',
  );
  expect(result.stdout).toBe('ab\n');
  expect(result.stderr).toBe('bash: line 1: read: 5: invalid file descriptor: Bad file descriptor\n');
});

test('a process substitution is read like a file', async () => {
  const result = await sh('while read l; do echo "<$l>"; done < <(echo one; echo two); cat < <(echo three)');
  expect(result.stdout).toBe('<one>\n<two>\nthree\n');
});

test('here-documents of any size arrive whole', async () => {
  const result = await sh(`x=$(printf '%070000d' 1); cat <<E | { read l; echo \${#l}; }\n$x\nE`);
  expect(result.stdout).toBe('70000\n');
});

test('traps run on signals, errors and exit', async () => {
  const result = await sh(
    "trap 'echo usr1' USR1; trap 'echo err $?' ERR; trap 'echo bye' EXIT; kill -USR1 $$; false; (trap 'echo sub' EXIT); exit 4",
  );
  expect(result.stdout).toBe('usr1\nerr 1\nsub\nbye\n');
  expect(result.status).toBe(4);
});

test('set -e ends the shell, but not in conditions', async () => {
  const result = await sh(
    'set -e; if false; then :; fi; false || true; ! true; echo on; f() { false; echo not here; }; f; echo nor here',
  );
  expect(result.stdout).toBe('on\n');
  expect(result.status).toBe(1);
});

test('an expansion error abandons its line and no more', async () => {
  const result = await sh('echo $((1/0)); echo same line\necho next');
  expect(result.stdout).toBe('next\n');
  expect(result.stderr).toBe('bash: line 1: 1/0: division by 0 (error token is "0")\n');
});

test('messages in a script name it and the line', async () => {
  const script = { '/root/s.sh': '#!/bin/bash\n\nfoobar\ncd nodir\n' };
  const result = await sh('bash s.sh', { files: script });
  expect(result.stderr).toBe(
    's.sh: line 3: foobar: command not found\ns.sh: line 4: cd: nodir: No such file or directory\n',
  );
});

test('a script on standard input leaves its input to its commands', async () => {
  const machine = makeBareMachine({ programs: { '/usr/bin/bash': bash, '/usr/bin/cat': cat } });
  const result = await run(machine, ['bash'], { stdin: 'read x\ndata\necho "[$x]"\ncat\nrest\n' });
  expect(result.stdout).toBe('[data]\nrest\n');
});

test('bytes that are not UTF-8 pass through', async () => {
  const result = await sh(
    'x=$\'\\xff\\xe4\\xb8\\xad\'; echo ${#x}; printf \'%s\' "$x" >f; read -r y <f; [ "$x" = "$y" ] && echo same',
  );
  expect(result.stdout).toBe('2\nsame\n');
});

test('read -t gives up in virtual time', async () => {
  const result = await sh('sleep 9 | { read -t 1.5 x; echo $?; }');
  expect(result.stdout).toBe('142\n');
});

test('recursion without end is an error, not a crash', async () => {
  const result = await sh('f() { f; }; f; echo $?\necho next');
  expect(result.stdout).toBe('next\n');
  expect(result.stderr).toContain('maximum function nesting level exceeded');
});

test('completion functions are asked by compgen', async () => {
  const result = await sh(
    'compgen -W "alpha beta alps" al; compgen -v HOM; complete -W "x y" cmd; complete -p cmd',
  );
  expect(result.stdout).toBe("alpha\nalps\nHOME\ncomplete -W 'x y' cmd\n");
});

test.each([
  'cat <<E\n$((1/0))\nE',
  'x=\'$((1/0))\'; echo "${x@P}"',
  "compgen -W '${' x",
  'for x in $((1/0)); do :; done',
  'case $((1/0)) in x) ;; esac',
  'echo >$((1/0))',
])('%j fails with a message and no more', async (script) => {
  const result = await sh(`${script}\necho on`);
  expect(result.stderr).not.toBe('');
  expect(result.stdout).toContain('on\n');
});

test.each([
  'read "a[1/0]" <<<x',
  'b=(1); unset "b[1/0]"',
  "printf -v 'a[1/0]' x",
  "declare 'q[1/0]=3'",
  'b=(1); [[ -v b[1/0] ]]',
  'b=(1); echo ${b[1/0]}',
  'a[1/0]=2',
])('%j takes the rest of a -c string with it', async (script) => {
  const result = await sh(`${script}\necho on`);
  expect(result).toMatchObject({
    stdout: '',
    stderr: 'bash: line 1: 1/0: division by 0 (error token is "0")\n',
    status: 1,
  });
});

test('dash has its own words and lacks what bash adds', async () => {
  const machine = makeBareMachine({ programs: { '/usr/bin/sh': dash } });
  const result = await run(machine, [
    'sh',
    '-c',
    "foobar; [[ a = a ]]; echo 'a\\tb' {1,2}; ./no; cd nodir; ( if true; fi )",
  ]);
  expect(result.stderr).toBe('sh: 1: Syntax error: "fi" unexpected (expecting "then")\n');
  expect(result.status).toBe(2);
  const other = await run(machine, [
    'sh',
    '-c',
    "foobar; [[ a = a ]]; echo 'a\\tb' {1,2}; ./no; type declare",
  ]);
  expect(other.stdout).toBe('a\tb {1,2}\ndeclare: not found\n');
  expect(other.stderr).toBe('sh: 1: foobar: not found\nsh: 1: [[: not found\nsh: 1: ./no: not found\n');
});

test('ash speaks as busybox does', async () => {
  const machine = makeBareMachine({ programs: { '/usr/bin/sh': ash } });
  expect(await run(machine, ['sh', '-c', 'foobar'])).toMatchObject({
    stderr: 'sh: foobar: not found\n',
    status: 127,
  });
  expect(await run(machine, ['sh', '-c', 'echo a)'])).toMatchObject({
    stderr: 'sh: syntax error: unexpected ")"\n',
    status: 2,
  });
});

test('a loop over hundreds of thousands of words runs to its end', async () => {
  const words = '$(for ((i = 0; i < 130000; i++)); do echo $i; done)';
  const result = await sh(
    `for i in ${words}; do n=$i; done; echo $n; set -- ${words}; echo $#; a=("$@"); echo \${#a[@]}`,
  );
  expect(result.stdout).toBe('129999\n130000\n130000\n');
});
