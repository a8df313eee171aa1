// Logs, exec, attach and port-forward of a whole cluster's pods, as the real kubectl sees them.
import { createHash } from 'node:crypto';
import { createConnection } from 'node:net';
import { expect } from 'vitest';
import { forwardedPorts, get, stageTest, type Ended } from '../../../support/kubectl-stage.ts';

/** The version that these facts were measured with. */
const KUBECTL = '1.32';

/** What a kubectl that speaks SPDY alone does. */
const SPDY = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };

stageTest(
  KUBECTL,
  `kubectl ${KUBECTL} reads logs and runs commands over WebSocket and over SPDY`,
  async (stage) => {
    const { run, made } = stage;
    expect(await run(['logs', 'web', '-c', 'side'])).toMatchObject({ stdout: 'from the side\n' });
    for (const env of [{}, SPDY]) {
      const exec = (args: readonly string[], input = ''): Promise<Ended> =>
        run(['exec', 'web', '-i', '-c', 'side', '--', ...args], input, env);
      expect(await exec(['echo', 'hello'])).toEqual({ status: 0, stdout: 'hello\n', stderr: '' });
      expect(await exec(['sh', '-c', 'echo no >&2; exit 3'])).toEqual({
        status: 3,
        stdout: '',
        stderr: 'no\ncommand terminated with exit code 3\n',
      });
      expect(await exec(['cat'], 'one\ntwo\n')).toMatchObject({ status: 0, stdout: 'one\ntwo\n' });
      expect(await exec(['head', '-c', '3'], 'x'.repeat(3_000_000))).toMatchObject({
        status: 0,
        stdout: 'xxx',
      });
      expect((await exec(['head', '-c', '3000000', '/dev/zero'])).stdout).toHaveLength(3_000_000);
      expect((await exec(['nosuch'])).stderr).toMatch(
        /^error: Internal error occurred: .*exec: "nosuch": executable file not found in \$PATH\n$/,
      );
      expect((await exec(['tar', 'xf', '-', '-C', '/no/dir'])).stderr).toBe(
        "tar: can't change directory to '/no/dir': No such file or directory\ncommand terminated with exit code 1\n",
      );
      expect((await exec(['tar', 'cf', '-', '/etc/passwd'])).stderr).toBe(
        "tar: removing leading '/' from member names\n",
      );
      expect((await run(['exec', 'web', '-c', 'nope', '--', 'ls'], '', env)).stderr).toBe(
        'Error from server (BadRequest): container nope is not valid for pod web\n',
      );
    }
    expect(made.faults).toEqual([]);
  },
);

stageTest(
  KUBECTL,
  `kubectl ${KUBECTL} attaches: input ends, output comes, the end is heard`,
  async (stage) => {
    const { run, made } = stage;
    for (const [index, env] of [{}, SPDY].entries()) {
      const ended = await run(
        ['run', `once${index}`, '--rm', '-i', '--restart=Never', '--image=busybox:1.36', '--', 'sh'],
        'echo typed; exit 4\n',
        env,
      );
      expect(ended).toMatchObject({ status: 4 });
      expect(ended.stdout).toContain('typed\n');
    }
    expect((await run(['attach', 'web', '-c', 'nope'])).stderr).toContain(
      'container nope not found in pod web',
    );
    expect(made.faults).toEqual([]);
  },
);

stageTest(
  KUBECTL,
  `kubectl ${KUBECTL} forwards ports, says so when one refuses, and gives up as the real one does`,
  async (stage) => {
    const { made } = stage;
    for (const env of [{}, SPDY]) {
      const forward = stage.start(['port-forward', 'pod/web', ':80', ':81'], env);
      let said = '';
      forward.stderr.on('data', (data: Buffer) => (said += String(data)));
      const ended = new Promise<number | null>((resolve) => forward.once('exit', resolve));
      try {
        const [web, closed] = await forwardedPorts(forward.stdout, 2);
        expect(await get(web!)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Welcome to nginx!/);
        const many = await Promise.all(Array.from({ length: 20 }, () => get(web!)));
        expect(many.filter((answer) => answer.includes('Welcome to nginx!'))).toHaveLength(20);
        expect(await get(closed!)).toBe('');
        expect(await ended).toBe(1);
        expect(said).toMatch(
          /an error occurred forwarding \d+ -> 81: .*connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found "\nerror: lost connection to pod\n$/,
        );
      } finally {
        forward.kill();
      }
    }
    expect(made.faults).toEqual([]);
  },
);

stageTest(KUBECTL, 'a refused port is heard of fifty times in fifty', async (stage) => {
  for (let round = 0; round < 50; round++) {
    const forward = stage.start(['port-forward', 'pod/web', ':81'], round % 2 === 0 ? {} : SPDY);
    const ended = new Promise<number | null>((resolve) => forward.once('exit', resolve));
    const [closed] = await forwardedPorts(forward.stdout, 1);
    expect(await get(closed!)).toBe('');
    expect(await ended).toBe(1);
  }
});

stageTest(
  KUBECTL,
  'clients that are killed in the middle leave no process, socket or stream behind',
  async (stage) => {
    const { run, made } = stage;
    const sockets = async (machine: string): Promise<string> =>
      (await made.cluster.world.runOnMachine(machine, 'ss -tan | grep -c ESTAB')).stdout;
    const processes = async (): Promise<string> =>
      (await run(['exec', 'web', '-c', 'side', '--', 'sh', '-c', 'ps | grep -c "sleep\\|yes\\|cat"'])).stdout;
    expect(
      await run([
        'exec',
        'web',
        '-c',
        'web',
        '--',
        'sh',
        '-c',
        'head -c 5000000 /dev/zero > /usr/share/nginx/html/big',
      ]),
    ).toMatchObject({ status: 0 });
    const before = {
      processes: await processes(),
      worker: await sockets('worker1'),
      master: await sockets('master1'),
    };
    for (const env of [{}, SPDY]) {
      const children = [
        stage.start(['exec', 'web', '-c', 'side', '--', 'sleep', '1000'], env),
        stage.start(['exec', '-i', 'web', '-c', 'side', '--', 'cat'], env),
        stage.start(['exec', 'web', '-c', 'side', '--', 'yes'], env),
        stage.start(['attach', 'web', '-c', 'side'], env),
        stage.start(['logs', '-f', 'web', '-c', 'side'], env),
      ];
      const forward = stage.start(['port-forward', 'pod/web', ':80'], env);
      children.push(forward);
      const [port] = await forwardedPorts(forward.stdout, 1);
      const idle = createConnection(port!, '127.0.0.1');
      const busy = createConnection(port!, '127.0.0.1', () => {
        busy.write('GET /big HTTP/1.1\r\nHost: web\r\n\r\n');
        busy.once('data', () => busy.pause());
      });
      for (const socket of [idle, busy]) socket.on('error', () => undefined);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(Number(await processes())).toBeGreaterThan(Number(before.processes));
      const gone = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(gone);
      for (const socket of [idle, busy]) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    expect({
      processes: await processes(),
      worker: await sockets('worker1'),
      master: await sockets('master1'),
    }).toEqual(before);
    expect(made.faults).toEqual([]);
  },
);

stageTest(
  KUBECTL,
  'requests to a kubelet go over the network: one that is stopped, or cut off, is heard of in the real words',
  async (stage) => {
    const { run, made } = stage;
    const follow = stage.start(['logs', '-f', 'web', '-c', 'side']);
    const followed = new Promise((resolve) => follow.once('exit', resolve));
    await new Promise((resolve) => follow.stdout.once('data', resolve));
    await made.cluster.world.runOnMachine('worker1', 'systemctl stop kubelet');
    await followed;
    const address = (await run(['get', 'node', 'worker1', '-o', 'jsonpath={.status.addresses[0].address}']))
      .stdout;
    expect(await run(['logs', 'web', '-c', 'side', '--tail=1'])).toMatchObject({
      status: 1,
      stderr: `Error from server: Get "https://${address}:10250/containerLogs/default/web/side?tailLines=1": dial tcp ${address}:10250: connect: connection refused\n`,
    });
    expect((await run(['exec', 'web', '-c', 'side', '--', 'ls'])).stderr).toBe(
      `Error from server: error dialing backend: dial tcp ${address}:10250: connect: connection refused\n`,
    );
    expect((await run(['get', '--raw', '/api/v1/nodes/worker1/proxy/healthz'])).stderr).toBe(
      `Error from server (ServiceUnavailable): error trying to reach service: dial tcp ${address}:10250: connect: connection refused\n`,
    );
    await made.cluster.world.runOnMachine(
      'worker1',
      'systemctl start kubelet; iptables -I INPUT -p tcp --dport 10250 -j REJECT --reject-with icmp-host-unreachable',
    );
    expect((await run(['logs', 'web', '-c', 'side'])).stderr).toContain(
      `dial tcp ${address}:10250: connect: no route to host`,
    );
    await made.cluster.world.runOnMachine('worker1', 'iptables -D INPUT 1');
    expect((await run(['logs', 'web', '-c', 'side'])).stdout).toBe('from the side\n');
    expect(made.faults).toEqual([]);
  },
);

for (const minor of ['1.27', '1.30', '1.33']) {
  stageTest(minor, `kubectl ${minor} runs commands, attaches and forwards ports`, async (stage) => {
    const { run, made } = stage;
    const exec = (args: readonly string[], input = ''): Promise<Ended> =>
      run(['exec', '-i', 'web', '-c', 'side', '--', ...args], input);
    expect(await exec(['sh', '-c', 'cat; echo no >&2; exit 3'], 'typed')).toEqual({
      status: 3,
      stdout: 'typed',
      stderr: 'no\ncommand terminated with exit code 3\n',
    });
    expect(
      await run(
        ['run', 'once', '--rm', '-i', '--restart=Never', '--image=busybox:1.36', '--', 'cat'],
        'back\n',
      ),
    ).toMatchObject({ status: 0, stdout: expect.stringContaining('back\n') as string });
    const forward = stage.start(['port-forward', 'pod/web', ':80', ':81']);
    const ended = new Promise<number | null>((resolve) => forward.once('exit', resolve));
    const [web, closed] = await forwardedPorts(forward.stdout, 2);
    expect(await get(web!)).toContain('Welcome to nginx!');
    expect(await get(closed!)).toBe('');
    expect(await ended).toBe(1);
    expect(made.faults).toEqual([]);
  });
}

stageTest(
  KUBECTL,
  'a pod that is deleted takes its logs, its connections and its ports along',
  async (stage) => {
    const { run, made } = stage;
    await run([
      'exec',
      'web',
      '-c',
      'web',
      '--',
      'sh',
      '-c',
      'head -c 9000000 /dev/zero > /usr/share/nginx/html/big',
    ]);
    const forward = stage.start(['port-forward', 'pod/web', ':80']);
    let said = '';
    forward.stderr.on('data', (data: Buffer) => (said += String(data)));
    const ended = new Promise<number | null>((resolve) => forward.once('exit', resolve));
    const [port] = await forwardedPorts(forward.stdout, 1);
    const busy = createConnection(port!, '127.0.0.1', () =>
      busy.write('GET /big HTTP/1.1\r\nHost: web\r\n\r\n'),
    );
    await new Promise((resolve) => busy.once('data', resolve));
    busy.pause();
    const follow = stage.start(['logs', '-f', 'web', '-c', 'side']);
    const followed = new Promise((resolve) => follow.once('exit', resolve));
    await new Promise((resolve) => follow.stdout.once('data', resolve));
    const closed = new Promise((resolve) => busy.once('close', resolve));
    busy.on('error', () => undefined);
    expect(await run(['delete', 'pod', 'web', '--now'])).toMatchObject({ status: 0 });
    expect(await followed).toBe(0);
    busy.resume();
    await closed;
    expect(await get(port!)).toBe('');
    expect(await ended).toBe(1);
    expect(said).toMatch(
      /error forwarding port 80 to pod ([0-9a-f]{64}), uid : failed to find sandbox \\"\1\\" in store: not found"\nerror: lost connection to pod\n$/,
    );
    expect(made.faults).toEqual([]);
  },
);

stageTest(KUBECTL, 'ten megabytes go there and back, through exec and through a port', async (stage) => {
  const { run, made } = stage;
  const sent = 'One line of many, none of them long.\n'.repeat(280_000);
  const hash = createHash('md5').update(sent).digest('hex');
  for (const env of [{}, SPDY]) {
    const inPod = (script: string, input = ''): Promise<Ended> =>
      run(['exec', '-i', 'web', '-c', 'side', '--', 'sh', '-c', script], input, env);
    expect((await inPod('cat > /tmp/up; md5sum < /tmp/up', sent)).stdout).toBe(`${hash}  -\n`);
    const back = await inPod('cat /tmp/up');
    expect(createHash('md5').update(back.stdout).digest('hex')).toBe(hash);

    const listening = inPod('sleep 8 | nc -l -p 9000 > /tmp/port; md5sum < /tmp/port');
    const forward = stage.start(['port-forward', 'pod/web', ':9000'], env);
    const [port] = await forwardedPorts(forward.stdout, 1);
    for (let tries = 0; tries < 100; tries++)
      if ((await inPod('netstat -ltn')).stdout.includes(':9000 ')) break;
    const socket = createConnection(port!, '127.0.0.1', () => socket.end(sent));
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await listening).stdout).toBe(`${hash}  -\n`);
    forward.kill();
  }
  expect(made.faults).toEqual([]);
});

stageTest(KUBECTL, 'kubectl proxy leads a browser to pods, services and nodes', async (stage) => {
  const { run, made } = stage;
  await run(['label', 'pod', 'web', 'app=web']);
  await run(['expose', 'pod', 'web', '--port=80']);
  await run(['wait', '--for=jsonpath={.subsets[0].addresses[0].ip}', 'endpoints/web', '--timeout=30s']);
  const proxy = stage.start(['proxy', '--port=0']);
  try {
    const said = await new Promise<string>((resolve) =>
      proxy.stdout.once('data', (data: Buffer) => resolve(String(data))),
    );
    const url = `http://127.0.0.1:${/:(\d+)\n/.exec(said)?.[1]}/api/v1`;
    for (const path of ['namespaces/default/services/web/proxy', 'namespaces/default/pods/web:80/proxy/']) {
      const answer = await fetch(`${url}/${path}`);
      expect(answer.url).toBe(`${url}/${path.replace(/\/?$/, '/')}`);
      expect(await answer.text()).toContain('Welcome to nginx!');
    }
    const missing = await fetch(`${url}/namespaces/default/pods/web:80/proxy/nope`, { method: 'HEAD' });
    expect(missing.status).toBe(404);
    const refused = await fetch(`${url}/namespaces/default/pods/web:81/proxy/`);
    expect(await refused.json()).toMatchObject({
      reason: 'ServiceUnavailable',
      message: expect.stringMatching(
        /^error trying to reach service: dial tcp [\d.]+:81: connect: connection refused$/,
      ) as string,
      code: 503,
    });
    expect(await (await fetch(`${url}/nodes/worker1/proxy/healthz`)).text()).toBe('ok');
  } finally {
    proxy.kill();
  }
  expect(made.faults).toEqual([]);
});
