// Package managers inside pods: they need a name server and a way to the mirror, and what they install runs.
import { expect, test } from 'vitest';

import { makeCluster } from '../../../../support/make-cluster.ts';

test('apt, apk and yum add commands to containers, over the network', async () => {
  using world = await makeCluster({ nodes: 2 });
  const sh = async (pod: string, script: string): Promise<{ out: string; status: number }> => {
    const result = await world.run(`kubectl exec ${pod} -- sh -c '${script}' 2>&1`);
    return { out: result.stdout, status: result.exitCode };
  };
  await world.run(
    'kubectl run deb --image=debian:12 -- sleep 1000000; kubectl run alp --image=alpine:3.20 -- sleep 1000000; kubectl run cen --image=centos:7 -- sleep 1000000; kubectl wait --for=condition=Ready pod --all --timeout=60s; sleep 30',
  );

  expect(await sh('deb', 'apt-get install -y curl')).toMatchObject({
    out: expect.stringContaining('E: Unable to locate package curl\n') as string,
    status: 100,
  });
  const apt = await sh('deb', 'apt-get update -q && apt-get install -y curl dnsutils');
  expect(apt.out).toContain('The following NEW packages will be installed:\n  bind9-dnsutils curl\n');
  expect(apt.out).toContain('Setting up curl (7.88.1-1+deb12u1) ...\n');
  expect(
    (await sh('deb', 'dig +short www.qq.com; dpkg -S /usr/bin/dig; apt-get remove -y curl | tail -1; curl'))
      .out,
  ).toBe(
    '121.14.77.221\nbind9-dnsutils: /usr/bin/dig\nRemoving curl (7.88.1-1+deb12u1) ...\nsh: 1: curl: not found\ncommand terminated with exit code 127\n',
  );

  expect(await sh('alp', 'apk add --no-cache nosuch')).toMatchObject({
    out: expect.stringContaining(
      'ERROR: unable to select packages:\n  nosuch (no such package):\n',
    ) as string,
    status: 1,
  });
  expect(
    (
      await sh(
        'alp',
        'apk add bind-tools | tail -3; dig +short www.qq.com; apk info -W /usr/bin/dig; apk del bind-tools; dig',
      )
    ).out,
  ).toMatch(
    /^\(1\/1\) Installing bind-tools .*\nExecuting busybox.*\nOK: 8 MiB in 15 packages\n121\.14\.77\.221\n\/usr\/bin\/dig is owned by bind-tools-.*\n\(1\/1\) Purging bind-tools .*\nExecuting busybox.*\nOK: 7 MiB in 14 packages\nsh: dig: not found\n/,
  );

  expect(
    (await sh('cen', 'yum -y -q install bind-utils; dig +short www.qq.com; rpm -qf /usr/bin/dig')).out,
  ).toBe('121.14.77.221\nbind-utils-9.18.49-1.el9.x86_64\n');
  expect(world.faults).toEqual([]);
});

test('without a name server nothing is fetched, and each says so in its words', async () => {
  using world = await makeCluster({ nodes: 2 });
  await world.run(
    'kubectl run deb --image=debian:12 -- sleep 1000000; kubectl run alp --image=alpine:3.20 -- sleep 1000000; kubectl wait --for=condition=Ready pod --all --timeout=60s; kubectl -n kube-system scale deployment coredns --replicas=0; sleep 40',
  );
  const deb = await world.run('kubectl exec deb -- apt-get update 2>&1');
  expect(deb.stdout).toContain("  Temporary failure resolving 'deb.debian.org'\n");
  expect(deb.stdout).toContain('W: Some index files failed to download.');
  const alp = await world.run('kubectl exec alp -- apk add curl 2>&1');
  expect(alp.stdout).toMatch(/WARNING: Ignoring .*: temporary error \(try again later\)\n/);
});
