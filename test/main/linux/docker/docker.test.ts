// docker: running, publishing, restarting, building, committing, copying; and what a reopened workspace brings back.
import { expect, test } from 'vitest';
import { makeDockerMachine, type DockerMachine } from '../../../support/docker-machine.ts';
import { makeMemoryStore } from '../../../support/memory-store.ts';
import { runOnTerminal } from '../../../support/transcript.ts';

async function pulled(...images: string[]): Promise<DockerMachine> {
  const m = await makeDockerMachine();
  for (const image of images) expect((await m.sh(`docker pull -q ${image}`)).status).toBe(0);
  return m;
}

test('a published port reaches the container: from localhost by docker-proxy, from elsewhere by DNAT', async () => {
  const m = await pulled('nginx:alpine');
  await m.sh('docker run -d --name web -p 8080:80 nginx:alpine; sleep 1');
  expect((await m.sh('curl -s localhost:8080 | grep -c Welcome')).stdout.trim()).not.toBe('0');
  expect((await m.sh('curl -s -o /dev/null -w "%{http_code}" 172.17.0.1:8080')).stdout).toBe('200');
  expect((await m.sh('curl -s -o /dev/null -w "%{http_code}" 172.17.0.2')).stdout).toBe('200');
  expect((await m.sh('iptables -t nat -S DOCKER')).stdout).toContain(
    '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80',
  );
  await m.sh('docker rm -f web');
  expect((await m.sh('curl -s localhost:8080')).status).toBe(7);
  expect((await m.sh('iptables -t nat -S DOCKER')).stdout).not.toContain('8080');
});

test('a port that something else holds can not be published; the container stays created', async () => {
  const m = await pulled('busybox:1.36');
  await m.sh('docker run -d --name one -p 8080:80 busybox:1.36 sleep 1d');
  const { stderr, status } = await m.sh('docker run -d --name two -p 8080:80 busybox:1.36 sleep 1d');
  expect(stderr).toMatch(
    /driver failed programming external connectivity on endpoint two \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8080 failed: port is already allocated\.\n$/,
  );
  expect(status).toBe(125);
  expect((await m.sh('docker ps -a --filter name=two --format "{{.Status}}"')).stdout).toBe('Created\n');
});

test.each([
  ['docker run --rm busybox:1.36 sh -c "exit 7"', '', 7],
  ['docker run --rm busybox:1.36 sh -c "kill -9 \\$\\$; sleep 1; exit 4"', '', 4],
  ['docker run --rm busybox:1.36 nosuch 2>/dev/null', '', 127],
  ['docker run --rm busybox:1.36 /etc 2>/dev/null', '', 126],
  ['echo in | docker run --rm -i busybox:1.36 cat', 'in\n', 0],
  ['docker run --rm busybox:1.36 sh -c "echo out; echo err >&2" 2>/dev/null', 'out\n', 0],
  [
    'docker run --rm -e A=b -w /tmp -u 1000 busybox:1.36 sh -c "echo $A \\$A; pwd; id -u"',
    'b\n/tmp\n1000\n',
    0,
  ],
  ['docker run --rm --hostname h busybox:1.36 hostname', 'h\n', 0],
  ['docker run --rm --entrypoint echo busybox:1.36 x y', 'x y\n', 0],
  ['docker run --rm --read-only busybox:1.36 touch /x', '', 1],
  ['docker run --rm --network host busybox:1.36 hostname', 'worker1\n', 0],
  ['docker run --rm --network none busybox:1.36 ls /sys/class/net', 'lo\n', 0],
  ['docker run --rm --add-host a.b:1.2.3.4 busybox:1.36 grep a.b /etc/hosts', '1.2.3.4\ta.b\n', 0],
  ['docker run --rm busybox:1.36 sh -c "echo \\$\\$"', '1\n', 0],
])('%s', async (script, stdout, status) => {
  const m = await pulled('busybox:1.36');
  const result = await m.sh(script);
  expect(result.stdout).toBe(stdout);
  expect(result.status).toBe(status);
});

test('files on the machine and volumes are seen in containers, and outlive them', async () => {
  const m = await pulled('busybox:1.36');
  const { stdout } = await m.sh(
    'mkdir /d; echo a > /d/f; docker run --rm -v /d:/x busybox:1.36 sh -c "cat /x/f; echo b > /x/g"; cat /d/g; docker run --rm -v vol:/v busybox:1.36 sh -c "echo kept > /v/k"; docker run --rm -v vol:/v:ro busybox:1.36 sh -c "cat /v/k; touch /v/n"; docker volume ls -q',
  );
  expect(stdout).toBe('a\nb\nkept\nvol\n');
});

test('restart policies: on-failure so often, always until somebody stops it', async () => {
  const m = await pulled('busybox:1.36');
  await m.sh(
    'docker run -d --name few --restart on-failure:2 busybox:1.36 sh -c "exit 3"; docker run -d --name ever --restart always busybox:1.36 sleep 2; sleep 20',
  );
  expect(
    (await m.sh('docker inspect -f "{{.RestartCount}} {{.State.ExitCode}} {{.State.Running}}" few')).stdout,
  ).toBe('2 3 false\n');
  expect(Number((await m.sh('docker inspect -f "{{.RestartCount}}" ever')).stdout)).toBeGreaterThan(3);
  await m.sh('docker stop -t 1 ever; sleep 5');
  expect((await m.sh('docker inspect -f "{{.State.Running}}" ever')).stdout).toBe('false\n');
});

test('stop asks with SIGTERM and then kills; kill sends what it is told', async () => {
  const m = await pulled('busybox:1.36');
  await m.sh(
    'docker run -d --name deaf busybox:1.36 sleep 1d; docker run -d --name good busybox:1.36 sh -c \'trap "exit 5" TERM; while :; do sleep 1; done\'; sleep 1',
  );
  const before = m.clock.now();
  await m.sh('docker stop -t 3 deaf');
  expect(m.clock.now() - before).toBeGreaterThanOrEqual(3000);
  await m.sh('docker stop good');
  expect((await m.sh('docker inspect -f "{{.State.ExitCode}}" deaf good')).stdout).toBe('137\n5\n');
});

test('a Dockerfile is built: every instruction has its effect', async () => {
  const m = await pulled('busybox:1.36');
  await m.sh(`mkdir -p /b/sub; cd /b; echo one > a.txt; echo two > sub/b.txt; cat > Dockerfile <<'END'
ARG TAG=1.36
FROM busybox:$TAG AS first
RUN echo made > /made
FROM busybox:1.36
ARG WHO=world
ENV GREETING="hello $WHO" OTHER=x
LABEL a=b
WORKDIR /app
COPY a.txt sub/ ./
COPY --from=first /made /made
RUN echo "$GREETING" > greeting && \\
    adduser -D nobody2 2>/dev/null; \\
    ls > listing
USER 1000
EXPOSE 8080
ENTRYPOINT ["cat"]
CMD ["greeting"]
END`);
  const built = await m.sh('cd /b; docker build -t app:1 --build-arg WHO=you .');
  expect(built.stderr).toBe('');
  expect(built.stdout).toMatch(/Successfully built [0-9a-f]{12}\nSuccessfully tagged app:1\n$/);
  expect((await m.sh('docker run --rm app:1')).stdout).toBe('hello you\n');
  expect((await m.sh('docker run --rm app:1 listing a.txt b.txt /made')).stdout).toBe(
    'a.txt\nb.txt\ngreeting\nlisting\none\ntwo\nmade\n',
  );
  expect(
    (
      await m.sh(
        'docker inspect -f "{{.Config.User}} {{.Config.WorkingDir}} {{index .Config.Labels \\"a\\"}} {{json .Config.ExposedPorts}}" app:1',
      )
    ).stdout,
  ).toBe('1000 /app b {"8080/tcp":{}}\n');
  expect((await m.sh('docker images -q | sort -u | wc -l')).stdout.trim()).toBe('2');
});

test('a step that fails ends the build with its status', async () => {
  const m = await pulled('busybox:1.36');
  const { stderr, status } = await m.sh(
    'mkdir /b; cd /b; printf "FROM busybox:1.36\\nRUN exit 9\\n" > Dockerfile; docker build .',
  );
  expect(stderr).toBe("The command '/bin/sh -c exit 9' returned a non-zero code: 9\n");
  expect(status).toBe(9);
  expect(
    (await m.sh('printf "FROM busybox:1.36\\nBOGUS x\\n" > /b/Dockerfile; docker build /b')).stderr,
  ).toBe('Error response from daemon: dockerfile parse error line 2: unknown instruction: BOGUS\n');
});

test('what a container changed is shown, committed, saved, loaded and run', async () => {
  const m = await pulled('busybox:1.36');
  await m.sh(
    'docker run --name work busybox:1.36 sh -c "echo new > /new; echo x >> /etc/group; rm /etc/passwd"',
  );
  expect((await m.sh('docker diff work')).stdout).toBe('C /etc/group\nD /etc/passwd\nA /new\n');
  await m.sh(
    'docker commit work mine:1; docker save mine:1 > /mine.tar; docker rmi mine:1; docker load < /mine.tar',
  );
  expect((await m.sh('docker run --rm mine:1 sh -c "cat /new; ls /etc/passwd"')).stdout).toBe('new\n');
});

test('files are copied into and out of containers', async () => {
  const m = await pulled('busybox:1.36');
  await m.sh(
    'docker create --name box busybox:1.36 sleep 1d; mkdir -p /src/d; echo 1 > /src/d/f; docker cp /src/d box:/tmp; docker start box; echo 2 > /g; docker cp /g box:/tmp/h',
  );
  expect(
    (await m.sh('docker exec box sh -c "cat /tmp/d/f /tmp/h"; docker cp box:/tmp/d /out; cat /out/f')).stdout,
  ).toBe('1\n2\n1\n');
});

test('networks of their own have a bridge and addresses, and containers reach each other by name', async () => {
  const m = await pulled('busybox:1.36');
  const { stdout } = await m.sh(
    'docker network create back >/dev/null; docker run -d --name first --network back busybox:1.36 sleep 1d >/dev/null; docker run --rm --network back busybox:1.36 sh -c "ping -c1 first | grep -c 1.packets; hostname -i"',
  );
  expect(stdout).toBe('1\n172.18.0.3\n');
  expect((await m.sh('docker network rm back')).stderr).toContain('has active endpoints');
});

test('containers run again after the machine was off; images that were built are there', async () => {
  const store = makeMemoryStore();
  const first = await makeDockerMachine({ store });
  await first.sh(
    'docker pull -q busybox:1.36; mkdir /b; printf "FROM busybox:1.36\\nRUN echo hi > /x\\n" > /b/Dockerfile; docker build -q -t app /b; docker run -d --name runs app sleep 1d; docker run --name done app true; docker exec runs sh -c "echo kept > /kept"',
  );
  first.engine[Symbol.dispose]();
  first.machine[Symbol.dispose]();
  const second = await makeDockerMachine({ store });
  expect(
    (
      await second.sh(
        'docker ps --format "{{.Names}} {{.Image}}"; docker ps -a --format "{{.Names}}"; docker exec runs cat /kept /x',
      )
    ).stdout,
  ).toBe('runs app\ndone\nruns\nkept\nhi\n');
});

test('templates: ranges, conditions, functions', async () => {
  const m = await pulled('busybox:1.36');
  await m.sh('docker run -d --name web -p 8080:80 -e A=b busybox:1.36 sleep 1d');
  const format = async (text: string): Promise<string> =>
    (await m.sh(`docker inspect -f '${text}' web`)).stdout;
  expect(await format('{{range .Config.Env}}{{println .}}{{end}}')).toContain('A=b\n');
  expect(
    await format(
      '{{range $p, $conf := .NetworkSettings.Ports}}{{$p}} -> {{(index $conf 0).HostPort}}{{end}}',
    ),
  ).toBe('80/tcp -> 8080\n');
  expect(
    await format(
      '{{if .State.Running}}up{{else}}down{{end}} {{.Name | len}} {{join .Config.Cmd ","}} {{json .State.Status}}',
    ),
  ).toBe('up 4 sleep,1d "running"\n');
  expect((await m.sh("docker inspect -f '{{.Nope.Deeper}}' web")).stdout).toBe('<no value>\n');
});

test('without its daemon docker says so, and containers live on', async () => {
  const m = await pulled('busybox:1.36');
  await m.sh('docker run -d --name box busybox:1.36 sleep 1d; systemctl stop docker');
  expect((await m.sh('docker ps')).stderr).toBe(
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n',
  );
  expect((await m.sh('ps -e -o args= | grep -c "^sleep 1d"')).stdout).toBe('1\n');
  expect((await m.sh('systemctl start docker; docker ps -q | wc -l')).stdout.trim()).toBe('1');
});

test('docker run -it is a terminal in the container: its size, its keys, Ctrl-C', async () => {
  const m = await pulled('busybox:1.36');
  const world = { kernel: m.machine.kernel, clock: m.clock };
  expect(
    (await runOnTerminal(world, 'docker run -it --rm busybox:1.36 stty size', { columns: 90 })).output,
  ).toBe('50 90\n');
  const { output, status } = await runOnTerminal(world, 'docker run -it --rm --name term busybox:1.36 sh', {
    typed: [
      { afterMs: 1000, keys: 'echo $((6*7)); sleep 1d\r' },
      { afterMs: 2000, keys: '\u0003' },
      { afterMs: 3000, keys: 'exit 3\r' },
    ],
  });
  expect(output).toContain('42\n');
  expect(status).toBe(3);
  expect((await m.sh('docker ps -aq')).stdout).toBe('');
});
