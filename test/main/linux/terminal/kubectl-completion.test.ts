// Tab behind kubectl on a machine of a cluster: without a script, with the one kubectl prints, and with the real one.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { KUBECTL, kubectlTest } from '../../../support/host-kubectl.ts';
import { makeCluster } from '../../../support/make-cluster.ts';
import { sitDown, type Person } from '../shell/terminal.ts';
import { tail } from './sit.ts';

async function sitAtMaster(files: Readonly<Record<string, string>> = {}): Promise<Person> {
  const world = await makeCluster({ seed: 7 });
  const { kernel } = world.cluster.requireMachine('master1');
  const person = await sitDown({
    machine: { kernel, clock: world.clock, faults: [] },
    columns: 100,
    argv: ['-bash'],
  });
  kernel.start({
    argv: ['install'],
    program: async (proc) => {
      for (const [path, text] of Object.entries(files)) proc.fs.writeFile(path, text);
      return 0;
    },
  });
  await person.type("PS1='$ '; clear\r", 200);
  return person;
}

/** Types a line and Tab, and gives the line as it is then. */
async function completed(person: Person, line: string): Promise<string> {
  await person.type('\u0005\u0015');
  await person.type(`${line}\t`, 1500);
  return tail(person, 1)[0]!;
}

const CASES: readonly (readonly [string, string])[] = [
  ['kubectl desc', '$ kubectl describe'],
  ['kubectl get pods -n kube-sys', '$ kubectl get pods -n kube-system'],
  ['kubectl get node mas', '$ kubectl get node master1'],
  ['kubectl get pods -o jso', '$ kubectl get pods -o json'],
  ['kubectl get pods --output=ya', '$ kubectl get pods --output=yaml'],
  ['kubectl get pods --all-n', '$ kubectl get pods --all-namespaces'],
  ['kubectl rollout resta', '$ kubectl rollout restart'],
];

test('Tab completes kubectl without a script', async () => {
  const person = await sitAtMaster();
  for (const [line, result] of CASES) expect(await completed(person, line)).toBe(result);
});

test('the script of kubectl completion bash completes as well', async () => {
  const person = await sitAtMaster();
  await person.type('source <(kubectl completion bash); clear\r', 500);
  for (const [line, result] of CASES) expect(await completed(person, line)).toBe(result);
  await person.type('\u0005\u0015clear\r', 200);
  await person.type('kubectl rollout \t', 1500);
  await person.type('\t', 1500);
  expect(person.screen().join('\n')).toMatch(
    /^history {2}\(View rollout history\) +resume {3}\(Resume a paused resource\)$/m,
  );
});

test('kubectl __complete prints words, what they are, and a directive', async () => {
  const person = await sitAtMaster();
  await person.type('kubectl __complete get no 2>&1; kubectl __completeNoDesc rollout s\r', 1000);
  expect(person.screen().slice(1)).toEqual([
    'nodes',
    ':4',
    'Completion ended with directive: ShellCompDirectiveNoFileComp',
    'status',
    ':4',
    'Completion ended with directive: ShellCompDirectiveNoFileComp',
    '$',
  ]);
});

kubectlTest('the script of a real kubectl works with ours', async () => {
  const script = execFileSync(KUBECTL, ['completion', 'bash'], { encoding: 'utf8' });
  const person = await sitAtMaster({ '/root/real.sh': script });
  await person.type('source /root/real.sh; clear\r', 500);
  for (const [line, result] of CASES) expect(await completed(person, line)).toBe(result);
});
