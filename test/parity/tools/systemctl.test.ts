// systemctl(1), service(8) and journalctl(1) as recorded on a Debian 12: the same units, made the same way.
import type { Program } from '../../../main/linux/kernel/index.ts';
import { KNOWN } from './known-differences.ts';
import { replays } from './replay.ts';
import { makeSystemMachine } from './system-machine.ts';

const BASH = '#!/bin/bash\n';
const KUBELET = `${BASH}echo "I0514 09:12:33.000001 $$ server.go:467] \\"Kubelet version\\" kubeletVersion=\\"v1.31.9\\"" >&2\nexec sleep infinity\n`;
const BROKEND = `${BASH}sleep 0.1\necho "failed to load config: open /var/lib/kubelet/config.yaml: no such file or directory" >&2\nexit 1\n`;
const UNITS: Readonly<Record<string, string>> = {
  '/etc/systemd/system/kubelet.service':
    '[Unit]\nDescription=kubelet: The Kubernetes Node Agent\nDocumentation=https://kubernetes.io/docs/\nWants=network-online.target\nAfter=network-online.target\n\n[Service]\nExecStart=/usr/local/bin/kubelet\nRestart=always\nStartLimitInterval=0\nRestartSec=10\n\n[Install]\nWantedBy=multi-user.target\n',
  '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf':
    '[Service]\nEnvironment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"\nExecStart=\nExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS\n',
  '/etc/systemd/system/broken.service':
    '[Unit]\nDescription=A broken daemon\n[Service]\nExecStart=/usr/local/bin/brokend\nRestart=on-failure\nRestartSec=1\n[Install]\nWantedBy=multi-user.target\n',
  '/etc/systemd/system/badexec.service':
    '[Unit]\nDescription=Bad exec path\n[Service]\nExecStart=/usr/local/bin/nosuchd\n',
  '/lib/systemd/system/nginx.service':
    "[Unit]\nDescription=A high performance web server and a reverse proxy server\nDocumentation=man:nginx(8)\nAfter=network-online.target remote-fs.target nss-lookup.target\nWants=network-online.target\n[Service]\nType=forking\nPIDFile=/run/nginx.pid\nExecStartPre=/usr/sbin/nginx -t -q -g 'daemon on; master_process on;'\nExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;'\nExecReload=/usr/sbin/nginx -g 'daemon on; master_process on;' -s reload\nExecStop=-/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile /run/nginx.pid\nTimeoutStopSec=5\nKillMode=mixed\n[Install]\nWantedBy=multi-user.target\n",
};

/** Does what systemd sees of Debian's nginx: forks a master with two workers, writes its PID file, tells of signals. */
const nginx: Program = async (proc) => {
  const args = proc.argv.slice(1);
  if (args.includes('-t')) return 0;
  if (args.includes('-s')) {
    await proc.stderr.write(`2026/11/20 16:54:05 [notice] ${proc.pid}#${proc.pid}: signal process started\n`);
    return 0;
  }
  const idle: Program = async (worker) => {
    await worker.sleep(1e12);
    return 0;
  };
  const master: Program = async (self) => {
    for (let i = 0; i < 2; i++) self.spawn({ argv: ['nginx: worker process'], program: idle });
    return idle(self);
  };
  const child = proc.spawn({
    argv: ['nginx: master process /usr/sbin/nginx -g daemon on; master_process on;'],
    program: master,
  });
  proc.fs.writeFile('/run/nginx.pid', `${child.pid}\n`);
  await proc.sleep(20);
  return 0;
};
const startStopDaemon: Program = async (proc) => {
  proc.kill(Number(proc.fs.readText('/run/nginx.pid')), 'SIGTERM');
  return Promise.resolve(0);
};

async function makeMachine() {
  return makeSystemMachine({
    hostname: 'worker1',
    programs: { '/usr/sbin/nginx': nginx, '/usr/sbin/start-stop-daemon': startStopDaemon },
    files: {
      ...Object.fromEntries(
        Object.entries(UNITS).map(([path, text]) => [path.replace(/^\/lib/, '/usr/lib'), text]),
      ),
      '/usr/local/bin/kubelet': { type: 'file', content: KUBELET, mode: 0o755 },
      '/usr/local/bin/brokend': { type: 'file', content: BROKEND, mode: 0o755 },
      // Debian enables everything that nothing is said about.
      '/usr/lib/systemd/system-preset/99-default-disable.preset': '',
    },
  });
}

const SPAN = /\b(?:\d+ days? )?(?:\d+h )?(?:\d+min )?[\d.]+m?s\b|\b\d+ms\b/g;

/** Times, pids, sizes; Debian's places and addresses; what less sends to set its keys up. */
function mask(text: string): string {
  return text
    .replaceAll(/\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; .*?ago/g, 'WHEN')
    .replaceAll(/\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'WHEN')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000/g, 'WHEN')
    .replaceAll(/\b\w{3} \d\d \d\d:\d\d:\d\d\b/g, 'WHEN')
    .replaceAll(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/g, 'WHEN')
    .replaceAll(SPAN, 'SPAN')
    .replaceAll(/\b\d{3,5}#\d+/g, 'PID#PID')
    .replaceAll(/(PID[:=] ?|Process: |\[|─(?:\u001b\[[\d;]*m)?|Z\/|\.000001 )\d{3,5}\b/g, '$1PID')
    .replaceAll(/\[\d+\]:/g, '[PID]:')
    .replaceAll(/PID \(nginx[^)]*\)/g, 'PID (nginx)')
    .replaceAll(/Memory: \S+/g, 'Memory: SIZE')
    .replaceAll(/CPU: \S+/g, 'CPU: SPAN')
    .replaceAll(/Duration: \S+/g, 'Duration: SPAN')
    .replaceAll(/(?:\/usr)?\/lib\/systemd/g, '/lib/systemd')
    .replaceAll(/counter is at \d+/g, 'counter is at N')
    .replaceAll(/job identifier is \d+/g, 'job identifier is N')
    .replaceAll(/Support: \S+/g, 'Support: URL')
    .replaceAll(/[\da-f]{32}/g, 'ID')
    .replaceAll(/\u001b\[\?1h\u001b=|\u001b\[K\u001b\[\?1l\u001b>|\u001b\[m$|\r/gm, '')
    .replace(/\n+$/, '\n');
}

replays({
  folder: 'systemctl',
  makeMachine,
  mask,
  before: {
    '02-status-running': 'sleep 2',
    '09-status-failed': 'systemctl start broken; sleep 9',
    '05-status-nginx': 'sleep 1',
    '11-status-badexec': 'sleep 1',
    '31-list-units': 'systemctl start broken; sleep 0.3',
  },
  known: KNOWN.systemctl,
});

replays({
  folder: 'journalctl',
  makeMachine,
  mask,
  before: {
    '01-u':
      'systemctl start kubelet nginx; systemctl start broken; sleep 9; systemctl start badexec; sleep 1; systemctl reload nginx; systemctl reset-failed; systemctl start broken; sleep 9',
  },
  typed: { '11-f': [{ afterMs: 4000, keys: '\u0003' }] },
  meanwhile: { '11-f': { afterMs: 1500, script: 'systemctl restart nginx' } },
  known: KNOWN.journalctl,
});
