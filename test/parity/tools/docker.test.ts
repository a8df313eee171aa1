// docker(1) as recorded on a Debian 12 with docker.io 20.10: one machine, one transcript after another.
import { makeDockerMachine } from '../../support/docker-machine.ts';
import { replays } from './replay.ts';

/** Ids, ages, sizes and layout that follows from them. */
function mask(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID64')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
    .replaceAll(
      /\b(About an? (minute|hour)|Less than a second|\d+ (second|minute|hour|day|week|month|year)s?)\b/g,
      'AGE',
    )
    .replaceAll(/\b\d+(\.\d+)?(B|kB|MB|GB|KiB|MiB|GiB)\b/g, 'SIZE')
    .replaceAll(/\(\d+%\)/g, '(N%)')
    .replaceAll(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(
      /^( *(?:Version|Git commit|GitCommit|Built|containerd version|runc version|init version|Server Version):).*$/gm,
      '$1 V',
    )
    .replaceAll(/version \d[^,]*, build \w+/g, 'version V, build B')
    .replaceAll(/\b\d\.\d\d%/g, 'N%')
    .replaceAll(/"Pid": \d+/g, '"Pid": N')
    .replaceAll(/^(root +)\d+ +\d+( +0 +)[\d:]+/gm, '$1PID PPID$2TIME')
    .replaceAll(
      /\b(admiring|bold|clever|dazzling|eager|festive|gallant|happy|jolly|keen|lucid|modest|nifty|quirky|serene|upbeat|vibrant|wizardly|youthful|zealous)_\w+/g,
      'NAME',
    )
    .replaceAll(/^(-{3}|={3}).*$/gm, '')
    .replaceAll(/ {2,}/g, '  ')
    .replaceAll(/ +$/gm, '');
}

const IMPORTED = 'docker pull -q busybox:1.36 >/dev/null';

replays({
  folder: 'docker',
  async makeMachine() {
    const faults: unknown[] = [];
    const { machine, clock } = await makeDockerMachine({ faults });
    return { kernel: machine.kernel, clock, faults };
  },
  mask,
  cwd: '/root',
  before: {
    '02-images': `${IMPORTED}; docker create --name tt busybox:1.36 true >/dev/null; docker commit tt >/dev/null; docker rm tt >/dev/null; sleep 2`,
    '05-ps': 'sleep 3',
    '06-ps-a':
      'docker run --name done1 busybox:1.36 sh -c "exit 3"; docker run --name done0 busybox:1.36 sh -c "exit 0"; sleep 2',
    '32-rm-running': 'true',
    '38-rmi-inuse': 'docker rm -f web1 >/dev/null 2>&1; true',
    '42-network-create': 'true',
    '57-build-nofile': 'mkdir -p /tmp/img',
    '60-daemon-down': 'systemctl stop docker',
    '61-nonroot': 'chmod 700 /root',
  },
  skipped: {
    '01-import': 'made of a tar file of the recording machine',
    '25-run-nocmd': "the recording's image was imported and has no command; this one is the real registry's",
    '27-run-missing-image': 'recorded without a network',
    '28-pull-missing': 'recorded without a network',
  },
  known: {
    '14-exec-it': "busybox' ip prints as iproute's",
    '53-history': "the recording's image was imported",
    '55-prune': "a commit's layer has no id of its own",
    '59-cp': "the recording's image has a passwd of its own",
  },
});
