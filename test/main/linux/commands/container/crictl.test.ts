// crictl and ctr: what the kubelet's runtime has, and what people do with it by hand.
import { expect, test } from 'vitest';
import { makeDockerMachine, type DockerMachine } from '../../../../support/docker-machine.ts';

const POD =
  '{"metadata": {"name": "box", "namespace": "default", "uid": "u1", "attempt": 1}, "log_directory": "/tmp", "labels": {"app": "box"}}';
const CONTAINER =
  '{"metadata": {"name": "bb"}, "image": {"image": "busybox:1.36"}, "command": ["sh", "-c", "echo started; sleep 1d"], "log_path": "bb.log", "labels": {"tier": "x"}}';

async function withPod(): Promise<DockerMachine> {
  const m = await makeDockerMachine();
  const { stdout, stderr } = await m.sh(
    `echo 'runtime-endpoint: unix:///run/containerd/containerd.sock' > /etc/crictl.yaml; echo '${POD}' > /pod.json; echo '${CONTAINER}' > /container.json; crictl pull busybox:1.36; crictl runp /pod.json > /pod; crictl create $(cat /pod) /container.json /pod.json > /id; crictl start $(cat /id)`,
  );
  expect(stderr).toBe('');
  expect(stdout).toContain('Image is up to date for sha256:');
  return m;
}

test('a pod and a container made by hand run, and are listed in all forms', async () => {
  const m = await withPod();
  expect((await m.sh('crictl ps')).stdout).toMatch(
    /^CONTAINER {11}IMAGE {15}CREATED {2,}STATE {15}NAME {16}ATTEMPT {13}POD ID {14}POD\n[0-9a-f]{13} {7}[0-9a-f]{13} {7}.+ ago +Running {13}bb {18}0 {19}[0-9a-f]{13} {7}box\n$/,
  );
  expect((await m.sh('crictl ps -q')).stdout).toBe((await m.sh('cat /id')).stdout);
  expect((await m.sh('crictl ps --name ^b -o json')).stdout).toContain('"state": "CONTAINER_RUNNING"');
  expect(
    (await m.sh('crictl ps --label tier=y -q; crictl ps --state exited -q; crictl ps --pod nope -q')).stdout,
  ).toBe('');
  expect((await m.sh('crictl pods --label app=box -o yaml')).stdout).toContain('state: SANDBOX_READY');
  expect((await m.sh('crictl logs $(cat /id)')).stdout).toBe('started\n');
  expect((await m.sh('crictl exec $(cat /id) hostname')).stdout).toBe('box\n');
  expect(
    (
      await m.sh(
        'crictl inspect -o go-template --template "{{.status.metadata.name}} {{.status.state}}" $(cat /id)',
      )
    ).stdout,
  ).toBe('bb CONTAINER_RUNNING\n');
  expect((await m.sh('crictl images')).stdout).toMatch(
    /^IMAGE {23}TAG {17}IMAGE ID {12}SIZE\ndocker\.io\/library\/busybox {3}1\.36 {16}[0-9a-f]{13} {7}2\.22MB\nregistry\.k8s\.io\/pause {7}3\.9 {17}[0-9a-f]{13} {7}320kB\n$/,
  );
});

test('what runs is only removed by force; a pod goes with its containers', async () => {
  const m = await withPod();
  const refused = await m.sh('crictl rm $(cat /id)');
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(
    /is running, please stop it first\n.*level=fatal msg="unable to remove container\(s\)"\n$/,
  );
  expect((await m.sh('crictl rmp $(cat /pod)')).stderr).toContain('is running, please stop it first');
  expect((await m.sh('crictl rmp -f $(cat /pod); crictl ps -aq; crictl pods -q')).stdout).toMatch(
    /^Removed sandbox [0-9a-f]{64}\n$/,
  );
});

test.each([
  [
    'crictl inspect nope',
    'level=fatal msg="getting the status of the container \\"nope\\": rpc error: code = NotFound desc = an error occurred when try to find container \\"nope\\": not found"',
  ],
  ['crictl exec $(cat /id) nosuch', 'executable file not found in $PATH'],
  ['crictl exec $(cat /id) sh -c "exit 3"', 'command terminated with exit code 3'],
  [
    'crictl pull nosuch:1',
    'code = Unknown desc = failed to pull and unpack image \\"docker.io/library/nosuch:1\\": failed to resolve reference',
  ],
  ['crictl rmi nosuch:1', 'no such image nosuch:1'],
  ['crictl ps --bogus', 'flag provided but not defined: -bogus'],
  ['crictl -r unix:///nope.sock ps', 'dial unix /nope.sock: connect: no such file or directory'],
  ['systemctl stop containerd; crictl ps', 'rpc error: code = Unavailable desc = connection error'],
])('%s fails with what crictl says', async (script, text) => {
  const m = await withPod();
  const { stderr, status } = await m.sh(script);
  expect(stderr).toContain(text);
  expect(status).toBe(1);
});

test('without a configuration file crictl warns of its default endpoints', async () => {
  const m = await makeDockerMachine();
  expect((await m.sh('crictl ps')).stderr).toMatch(
    /level=warning msg="runtime connect using default endpoints: .*you should set the endpoint instead\."\n$/,
  );
  expect(
    (
      await m.sh(
        'crictl config --set runtime-endpoint=unix:///run/containerd/containerd.sock; crictl config --get runtime-endpoint; crictl ps',
      )
    ).stdout,
  ).toContain('unix:///run/containerd/containerd.sock\nCONTAINER');
});

test('docker shows what the kubelet runs beside its own, by the names of cri-dockerd', async () => {
  const m = await withPod();
  await m.sh('docker run -d --name mine busybox:1.36 sleep 1d');
  expect((await m.sh('docker ps --format "{{.Names}}"')).stdout).toBe(
    'mine\nk8s_bb_box_default_u1_0\nk8s_POD_box_default_u1_1\n',
  );
  expect(
    (await m.sh('docker exec k8s_bb_box_default_u1_0 hostname; docker logs k8s_bb_box_default_u1_0')).stdout,
  ).toBe('box\nstarted\n');
  expect((await m.sh('crictl ps -q | wc -l')).stdout.trim()).toBe('1');
});

test('ctr and nerdctl keep to their namespaces', async () => {
  const m = await withPod();
  expect((await m.sh('ctr images ls -q; nerdctl ps -q; nerdctl images -q')).stdout).toBe('');
  expect((await m.sh('ctr -n k8s.io images ls -q')).stdout).toContain('docker.io/library/busybox:1.36\n');
  expect((await m.sh('nerdctl -n k8s.io ps --format "{{.Names}}"')).stdout).toContain(
    'k8s_bb_box_default_u1_0\n',
  );
  expect((await m.sh('ctr -n k8s.io t ls | grep -c RUNNING')).stdout.trim()).toBe('2');
  expect(
    (
      await m.sh(
        'ctr -n k8s.io images export /x.tar docker.io/library/busybox:1.36; ctr images import /x.tar; ctr images ls -q; ctr run --rm docker.io/library/busybox:1.36 t1 echo ran',
      )
    ).stdout,
  ).toMatch(
    /^unpacking docker\.io\/library\/busybox:1\.36 \(sha256:[0-9a-f]{64}\)\.\.\.done\ndocker\.io\/library\/busybox:1\.36\nran\n$/,
  );
  expect((await m.sh('ctr run docker.io/library/nope:1 t2')).stderr).toBe(
    'ctr: image "docker.io/library/nope:1": not found\n',
  );
});
