// nginx's master on a bare machine: reload, leaving, sockets that are taken, TLS by name, and stream.
import { expect, test } from 'vitest';
import { makeNginx } from '../../../../main/images/nginx/program.ts';
import { machinePrograms, PACKAGES } from '../../../../main/linux/commands/index.ts';
import type { Program } from '../../../../main/linux/kernel/index.ts';
import { bash } from '../../../../main/linux/shell/index.ts';
import { makeBareMachine, run } from '../../../support/make-machine.ts';

const programs: Record<string, Program> = { '/usr/bin/bash': bash, '/usr/sbin/nginx': makeNginx('1.26.3') };
for (const [file, { program }] of machinePrograms(PACKAGES.map((each) => each.name)))
  programs[file] = program;

/** Runs a script on a machine whose nginx.conf has this inside `http`, or all of it. */
async function sh(http: string, script: string, whole = false) {
  const config = whole
    ? http
    : `error_log /tmp/error.log notice; worker_processes 2; events {}\nhttp { access_log off; ${http} }\n`;
  const machine = makeBareMachine({
    programs,
    files: { '/etc/nginx/nginx.conf': config, '/var/run/x': '', '/etc/ssl/x': '' },
  });
  const result = await run(machine, ['bash', '-c', script]);
  expect(machine.faults).toEqual([]);
  return result;
}

test('a reload answers by the new configuration with new workers, and a wrong one changes nothing', async () => {
  const { stdout } = await sh(
    'server { listen 80; return 200 "old\\n"; }',
    `nginx; sleep 1; curl -s localhost; pgrep -f '^nginx: worker' > before
     sed -i s/old/new/ /etc/nginx/nginx.conf; nginx -s reload 2>&1 | sed 's/^.*\\[/[/; s/[0-9]*#[0-9]*/P/'; sleep 1; curl -s localhost
     pgrep -f '^nginx: worker' > after; grep -c . after; comm -12 before after | wc -l
     sed -i 's/return/nonsense/' /etc/nginx/nginx.conf; kill -HUP $(cat /var/run/nginx.pid); sleep 1; curl -s localhost; grep -o 'unknown directive.*' /tmp/error.log
     nginx -s quit 2>/dev/null; nginx -s stop 2>&1 | tail -1; ls /var/run/nginx.pid`,
  );
  expect(stdout).toBe(
    'old\n[notice] P: signal process started\nnew\n2\n0\nnew\nunknown directive "nonsense" in /etc/nginx/nginx.conf:2\nnginx: [emerg] unknown directive "nonsense" in /etc/nginx/nginx.conf:2\n/var/run/nginx.pid\n',
  );
});

test('a taken port is tried five times and then given up', async () => {
  const { stderr, status } = await sh(
    'server { listen 80; }',
    'nc -lk 80 >/dev/null & sleep 1; nginx -g "daemon off;"; code=$?; kill %1; exit $code',
  );
  expect(status).toBe(1);
  expect(stderr).toBe(
    `${'nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\n'.repeat(5)}nginx: [emerg] still could not bind()\n`,
  );
});

test('TLS picks the certificate by name, and curl verifies it', async () => {
  const make = (name: string): string =>
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=${name} -addext subjectAltName=DNS:${name} -keyout /etc/ssl/${name}.key -out /etc/ssl/${name}.crt 2>/dev/null`;
  const server = (name: string): string =>
    `server { listen 443 ssl; server_name ${name}; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate /etc/ssl/${name}.crt; ssl_certificate_key /etc/ssl/${name}.key; return 200 "${name} $ssl_protocol $ssl_server_name\\n"; }`;
  const { stdout } = await sh(
    `${server('one.test')} ${server('two.test')}`,
    `${make('one.test')}; ${make('two.test')}; nginx; sleep 1
     curl -s --resolve two.test:443:127.0.0.1 --cacert /etc/ssl/two.test.crt https://two.test/
     curl -sS --resolve two.test:443:127.0.0.1 --cacert /etc/ssl/one.test.crt https://two.test/ 2>&1 | head -1
     curl -s http://localhost:443/ | grep -o 400.*title | head -1
     echo | openssl s_client -connect 127.0.0.1:443 -servername one.test 2>/dev/null | grep -E '^subject|Cipher is'
     sed -i 's/two.test.key/one.test.key/' /etc/nginx/nginx.conf; nginx -t 2>&1 | head -1; nginx -s stop`,
  );
  expect(stdout).toBe(
    'two.test TLSv1.3 two.test\ncurl: (60) SSL certificate problem: self-signed certificate\n400 The plain HTTP request was sent to HTTPS port</title\nsubject=CN = one.test\nNew, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384\nnginx: [emerg] SSL_CTX_use_PrivateKey("/etc/ssl/one.test.key") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)\n',
  );
});

test('stream passes TCP on, with the PROXY protocol if told to', async () => {
  const { stdout } = await sh(
    `error_log /tmp/error.log; events {}
     stream { upstream back { server 127.0.0.1:8081; } server { listen 9000; proxy_pass back; proxy_protocol on; } server { listen 9001; return "hi $remote_addr\\n"; } }
     http { access_log off; server { listen 8081 proxy_protocol; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol; return 200 "$proxy_protocol_addr $remote_addr\\n"; } }`,
    'nginx; sleep 1; curl -s http://127.0.0.1:9000/; nc 127.0.0.1 9001 </dev/null; nginx -s stop',
    true,
  );
  expect(stdout).toBe('127.0.0.1 127.0.0.1\nhi 127.0.0.1\n');
});

test('limit_req lets the rate through, delays the burst and refuses the rest', async () => {
  const { stdout } = await sh(
    'limit_req_zone $binary_remote_addr zone=z:1m rate=2r/s; server { listen 80; location / { limit_req zone=z burst=1; limit_req_status 429; return 200 x; } location /d { limit_req zone=z burst=2; alias /etc/hostname; } }',
    `nginx; sleep 1; touch /x; for i in 1 2 3 4; do curl -s -o /dev/null -w '%{http_code} ' http://127.0.0.1/d & done; wait; grep -c 'limiting requests, excess: 3.000 by zone "z"' /tmp/error.log; nginx -s stop`,
  );
  expect(stdout.trim().split(/\s+/).slice(0, 4).toSorted()).toEqual(['200', '200', '200', '503']);
  expect(stdout.trim().split(/\s+/)[4]).toBe('1');
});
