// Replays a folder of recorded transcripts on a virtual machine, in the recorded order, and holds it to a list of known differences.
import { expect, test } from 'vitest';

import type { BareMachine } from '../../support/make-machine.ts';
import { noRecordings } from '../../support/no-recordings.ts';
import {
  readTranscripts,
  recorded,
  runOnTerminal,
  type Transcript,
  type Typed,
} from '../../support/transcript.ts';

export interface Replay {
  /** The folder's name below golden/. */
  readonly folder: string;
  /** A machine as the recording's was before the first transcript. All of the folder runs on it, one after another. */
  readonly makeMachine: () => Promise<BareMachine> | BareMachine;
  /** Takes from recorded and virtual output what depends on the moment: times, pids, ids. After the common masks. */
  readonly mask?: (text: string, name: string) => string;
  /** What the recorder did between transcripts: a script to run before the transcript of that name. */
  readonly before?: Readonly<Record<string, string>>;
  /** Keys typed while a transcript runs. */
  readonly typed?: Readonly<Record<string, readonly Typed[]>>;
  /** What happens elsewhere on the machine while a transcript runs. */
  readonly meanwhile?: Readonly<Record<string, { readonly afterMs: number; readonly script: string }>>;
  /** Transcripts that aren't reproduced, with the reason. They run all the same, and one that comes out right must leave. */
  readonly known: Readonly<Record<string, string>>;
  /** Transcripts that can't run here at all (they need a network, or never end), with the reason. */
  readonly skipped?: Readonly<Record<string, string>>;
  /** Another way to run one than on the machine's terminal. */
  readonly run?: (
    machine: BareMachine,
    transcript: Transcript,
  ) => Promise<{ output: string; status: number }>;
  readonly cwd?: string;
}

/**
 * Declares one test for the folder: what differs must be exactly what `known` lists.
 * `SHOW=folder` prints each difference, `SHOW=folder/03-name` one of them.
 */
export function replays(replay: Replay): void {
  const title = `golden/${replay.folder} is reproduced, but for a list that may only shrink`;
  if (!recorded) {
    noRecordings(title);
    return;
  }
  test(
    title,
    async () => {
      const machine = await replay.makeMachine();
      const transcripts = readTranscripts(replay.folder).filter(({ name }) => !replay.skipped?.[name]);
      const differing: string[] = [];
      for (const transcript of transcripts) {
        const before = replay.before?.[transcript.name];
        if (before !== undefined) await runOnTerminal(machine, before, { cwd: replay.cwd });
        const result = await play(replay, machine, transcript);
        const wanted = masked(replay, transcript.output, transcript.name);
        const got = masked(replay, result.output, transcript.name);
        if (wanted === got && transcript.exitCode === result.status) continue;
        differing.push(transcript.name);
        show(replay.folder, transcript, wanted, { output: got, status: result.status });
      }
      expect(machine.faults).toEqual([]);
      expect(transcripts.length).toBeGreaterThan(0);
      expect(differing).toEqual(
        transcripts.map(({ name }) => name).filter((name) => replay.known[name] !== undefined),
      );
    },
    60_000,
  );
}

function play(
  replay: Replay,
  machine: BareMachine,
  transcript: Transcript,
): Promise<{ output: string; status: number }> {
  if (replay.run !== undefined) return replay.run(machine, transcript);
  return runOnTerminal(machine, transcript.script, {
    columns: transcript.columns,
    cwd: replay.cwd,
    typed: replay.typed?.[transcript.name],
    meanwhile: replay.meanwhile?.[transcript.name],
  }).catch((error: unknown) => ({ output: String(error), status: -1 }));
}

/** The recorder ended the last line where the tool did not; blanks at a line's end are the tool's own. */
function masked(replay: Replay, text: string, name: string): string {
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return replay.mask?.(ended, name) ?? ended;
}

function show(
  folder: string,
  { name, script, exitCode }: Transcript,
  wanted: string,
  got: { output: string; status: number },
): void {
  const asked = process.env['SHOW'];
  if (asked !== folder && asked !== `${folder}/${name}`) return;
  console.log(
    `--- ${folder}/${name}\n$ ${script}\nwant ${exitCode}:\n${visible(wanted)}got ${got.status}:\n${visible(got.output)}`,
  );
}

function visible(text: string): string {
  return text.replaceAll('\u001b', '␛').replaceAll('\u0007', '␇').replaceAll('\r', '␍');
}
