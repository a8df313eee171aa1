// The shells inside containers, as kubectl exec -it opens them.
import { expect, test } from 'vitest';
import { makeCluster, type TestCluster } from '../../support/make-cluster.ts';
import { sitDown } from '../../support/typist.ts';

async function withPods(): Promise<TestCluster> {
  const world = await makeCluster({ nodes: 2 });
  await world.run(
    'kubectl run web --image nginx:1.20; kubectl run box --image busybox:1.36 --command -- sleep 3600',
  );
  await world.clock.advance({ seconds: 20 });
  return world;
}

test('bash in a Debian image shows user, host and directory; its sh is dash', async () => {
  using world = await withPods();
  const person = await sitDown(world);
  expect(await person.type('kubectl exec -it web -- bash')).toContain('root@web:/# ');
  expect(await person.type('echo web1 > /usr/share/nginx/html/index.html; cd /etc')).toContain(
    'root@web:/etc# ',
  );
  expect(await person.type('exit')).toContain('[root@master1 ~]# ');
  expect(await person.type('curl $(kubectl get pod web -o jsonpath={.status.podIP})')).toContain('\nweb1\n');
  expect(await person.type('kubectl exec -it web -- sh')).toMatch(/\n# $/);
  expect(await person.type('nosuch')).toBe('nosuch\nsh: 1: nosuch: not found\n# ');
});

test('busybox’s sh is ash, and its commands speak as busybox does', async () => {
  using world = await withPods();
  const person = await sitDown(world);
  expect(await person.type('kubectl exec -it box -- sh')).toContain('/ # ');
  expect(await person.type('nosuch')).toBe('nosuch\nsh: nosuch: not found\n/ # ');
  expect(await person.type('cat /nofile')).toBe(
    "cat /nofile\ncat: can't open '/nofile': No such file or directory\n/ # ",
  );
  expect(await person.type('ls /nofile')).toBe('ls /nofile\nls: /nofile: No such file or directory\n/ # ');
  expect(await person.press('\x04')).toContain('[root@master1 ~]# ');
});
