// For a person: replays areas and prints how each transcript differs. `node test/parity/cluster/run.ts create/14 describe`
//
// An argument is an area or AREA/BEGINNING-OF-FILE-NAME; the area runs whole, for its transcripts build on each other.
// KEEP=folder keeps what was written and FROM=folder compares what was kept; SPEED=n sets the cluster's pace;
// CLUSTER=kubeconfig uses a cluster that runs already.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AREAS, chainsOf } from './areas.ts';
import { agrees } from './comparison.ts';
import { listingOf, numberOf } from './ledger.ts';
import { masked } from './masks.ts';
import { Recorder, recordedFiles, recordedTranscript, writtenTranscript } from './recorder.ts';

const SPEED = Number(process.env['SPEED'] ?? 4);

const wanted = process.argv.slice(2);
const areas = wanted.length === 0 ? AREAS : wanted.map((name) => name.split('/')[0]!);
const written = process.env['FROM'] ?? (await replay(areas));

const summary: string[] = [];
for (const area of new Set(areas)) {
  const files = recordedFiles(area);
  const failed = files.filter(
    (file) => !agrees(recordedTranscript(area, file), writtenTranscript(written, area, file) ?? ''),
  );
  const shown = failed.filter(
    (file) =>
      wanted.length === 0 || wanted.some((name) => name === area || `${area}/${file}`.startsWith(name)),
  );
  for (const file of shown) {
    process.stdout.write(`\n=== ${area}/${file}${tagOf(area, file)}\n`);
    process.stdout.write(
      difference(recordedTranscript(area, file), writtenTranscript(written, area, file) ?? ''),
    );
  }
  const news = failed.filter((file) => tagOf(area, file) === '').length;
  const { differs, excluded } = listingOf(area);
  const agreeing = [...differs, ...excluded].filter(
    (number) => !failed.some((file) => numberOf(file) === number),
  );
  summary.push(
    `${area}: ${files.length - failed.length}/${files.length}, ${news} differ that aren't listed` +
      (agreeing.length === 0 ? '' : `; to be taken off: ${agreeing.join(' ')}`),
  );
}
console.log(summary.join('\n'));
if (process.env['FROM'] === undefined && process.env['KEEP'] === undefined)
  rmSync(written, { recursive: true, force: true });

/** How a transcript is listed, such as ` (varies)`; empty if it isn't. */
function tagOf(area: string, file: string): string {
  const listed = Object.entries(listingOf(area)).find(([, numbers]) => numbers.has(numberOf(file)));
  return listed === undefined ? '' : ` (${listed[0]})`;
}

/** Runs the areas and answers the folder of what was written. */
async function replay(names: readonly string[]): Promise<string> {
  // Not needed, nor fit to load while the engine is being worked on, when kept transcripts are compared.
  const { startBench } = await import('./bench.ts');
  const { findKubectls } = await import('./kubectls.ts');
  const kubectls = findKubectls();
  if (kubectls === undefined) throw new Error('There is no kubectl 1.32 on this machine.');
  const kubeconfig = process.env['CLUSTER'];
  await using bench = kubeconfig === undefined ? await startBench(SPEED) : undefined;
  using recorder = new Recorder({ kubectls, kubeconfig: kubeconfig ?? bench!.kubeconfig, speed: SPEED });
  for (const stage of chainsOf(names)) await Promise.all(stage.map((chain) => recorder.run(chain)));
  process.stdout.write(recorder.said);
  for (const fault of bench?.faults ?? []) console.log('fault:', fault);
  const folder = process.env['KEEP'] ?? mkdtempSync(path.join(tmpdir(), 'drydock-replayed-'));
  recorder.keep(folder);
  return folder;
}

function difference(recorded: string, written: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'drydock-diff-'));
  writeFileSync(path.join(folder, 'recorded'), masked(recorded));
  writeFileSync(path.join(folder, 'here'), masked(written));
  const found = spawnSync('diff', ['-u', '-U', '2', 'recorded', 'here'], {
    cwd: folder,
    encoding: 'utf8',
  }).stdout.replace(/^(---|\+\+\+).*\n/gm, '');
  rmSync(folder, { recursive: true, force: true });
  return found;
}
