import { expect, test } from 'vitest';
import { runCheck, type Verdict } from '../../../../main/lab/checks/index.ts';
import type { Condition } from '../../../../main/lab/lab.ts';
import { makeCluster, type TestCluster } from '../../../support/make-cluster.ts';

function check(world: TestCluster, condition: Condition, withinMs = 0): Promise<Verdict> {
  const title = { zh: '检查', en: 'check' };
  return world.until(runCheck(world.cluster.world, { id: 'check', title, points: 1, condition, withinMs }));
}

async function said(world: TestCluster, condition: Condition): Promise<string> {
  const verdict = await check(world, condition);
  return verdict.holds ? 'holds' : verdict.message.en;
}

const object = (cel: string, name = 'kubernetes', resource = 'services'): Condition => ({
  kind: 'objects',
  objects: { resource, namespace: 'default', name, cel },
});

test('what a failing check says names what was found and what was expected', async () => {
  using world = await makeCluster();
  expect(
    await said(world, object("object.spec.type == 'ClusterIP' && object.spec.ports[0].port + 1 == 444")),
  ).toBe('holds');
  expect(await said(world, object("object.spec.type == 'NodePort'"))).toBe(
    "Service kubernetes doesn't satisfy object.spec.type == 'NodePort'.",
  );
  expect(await said(world, object("object.spec.nothing == 'x'"))).toContain('No such key: nothing');
  expect(await said(world, object('true', 'web'))).toBe('There is no Service web in namespace default yet.');
  expect(await said(world, object('true', 'web', 'ponies'))).toBe('There is no resource called ponies.');

  const command = (run: string, expected: object): Condition => ({
    kind: 'command',
    command: { machine: 'worker1', run, expect: expected },
  });
  expect(await said(world, command('hostname', { stdout: '^worker1$' }))).toBe('holds');
  expect(await said(world, command('hostname', { stdout: '^master' }))).toBe(
    'The command hostname printed "worker1", which doesn\'t match ^master.',
  );
  expect(await said(world, command('cat /nothing', {}))).toBe(
    'The command cat /nothing ended with 1 instead of 0. cat: /nothing: No such file or directory',
  );

  const http = (url: string, expected: object): Condition => ({
    kind: 'http',
    http: { from: 'client', url, requests: 2, expect: expected },
  });
  expect(await said(world, http('http://www.baidu.com/', { status: 200, sameBody: true }))).toBe('holds');
  expect(await said(world, http('http://www.baidu.com/', { distinct: 1 }))).toBe('holds');
  expect(await said(world, http('http://www.baidu.com/', { distinct: 2 }))).toContain(
    'The 2 requests got 1 different answers instead of 2: ',
  );
  expect(await said(world, http('http://192.168.10.11:81/', {}))).toBe(
    'client got no answer from http://192.168.10.11:81/: Connection refused.',
  );
  expect(await said(world, http('http://nowhere.example/', {}))).toContain('Name or service not known');

  const history: Condition = { kind: 'history', history: { machine: 'master1', matches: 'ipvsadm' } };
  expect(await said(world, history)).toBe('No such command is in the shell history of master1 yet.');
  expect(await said(world, { kind: 'not', of: history })).toBe('holds');
  expect(await said(world, { kind: 'any', of: [history, object('true')] })).toBe('holds');
  expect(await said(world, { kind: 'all', of: [object('true'), history] })).toContain('No such command');
});

test('a check with time waits for what is on its way, and no longer', async () => {
  using world = await makeCluster();
  void world.run('sleep 20; touch /root/late');
  const late: Condition = {
    kind: 'command',
    command: { machine: 'master1', run: 'test -e /root/late', expect: {} },
  };
  expect((await check(world, late, 5_000)).holds).toBe(false);
  expect((await check(world, late, 60_000)).holds).toBe(true);
});
