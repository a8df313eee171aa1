// Records what the host's real nginx 1.22.1 answers to cases.ts: run as root by hand, `node test/parity/nginx/record.ts`.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { CASES, CONFIGS, FILES } from './cases.ts';
import { masked, wholeConfig, type Recording } from './recording.ts';

const MODIFIED = Date.UTC(2024, 2, 1) / 1000;
const QUIET_MS = 250;

async function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setTimeout(QUIET_MS, () => {
      socket.destroy();
      resolve(`${answer}[open]`);
    });
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('end', () => resolve(answer));
    socket.on('error', (error) => (answer === '' ? reject(error) : resolve(answer)));
    socket.on('connect', () => socket.write(Buffer.from(text, 'latin1')));
  });
}

async function main(): Promise<void> {
  rmSync('/srv/nginx', { recursive: true, force: true });
  for (const [file, content] of Object.entries(FILES)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    utimesSync(file, MODIFIED, MODIFIED);
  }
  execFileSync('find', [
    '/srv/www',
    '/srv/alt',
    '-exec',
    'touch',
    '-d',
    '2024-03-01 00:00:00 UTC',
    '{}',
    '+',
  ]);
  mkdirSync('/srv/nginx', { recursive: true });
  const recording: Recording = { cases: {}, configs: [] };
  for (const each of CASES) {
    writeFileSync('/srv/nginx/nginx.conf', wholeConfig(each));
    writeFileSync('/srv/nginx/access.log', '');
    writeFileSync('/srv/nginx/error.log', '');
    const nginx = spawn('nginx', ['-c', '/srv/nginx/nginx.conf'], { stdio: 'inherit' });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const answers: string[] = [];
    for (const request of each.requests) {
      const { port, text } = typeof request === 'string' ? { port: 8080, text: request } : request;
      answers.push(masked(await ask(port, text)));
    }
    nginx.kill('SIGTERM');
    await new Promise((resolve) => nginx.on('exit', resolve));
    recording.cases[each.name] = {
      answers,
      access: masked(readFileSync('/srv/nginx/access.log', 'utf8')),
      errors: masked(readFileSync('/srv/nginx/error.log', 'utf8')),
    };
  }
  for (const config of CONFIGS) {
    writeFileSync('/srv/nginx/nginx.conf', config);
    const { status, stderr } = spawnSync('nginx', ['-t', '-c', '/srv/nginx/nginx.conf'], {
      encoding: 'utf8',
    });
    recording.configs.push({
      status: status ?? -1, // Debian's nginx has its error log on stderr: there the line is the log's.
      output: masked(stderr).replaceAll(/^\[(\w+)\] P: /gm, 'nginx: [$1] '),
    });
  }
  writeFileSync(
    path.join(import.meta.dirname, 'recorded.json'),
    `${JSON.stringify(recording, undefined, 1)}\n`,
  );
}

await main();
