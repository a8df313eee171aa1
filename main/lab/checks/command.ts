// Checks by running a command aside, on a machine or in each pod of a selection.
import { resources, type Pod } from '../../kubernetes/api/index.ts';
import type { CommandCondition } from '../lab.ts';
import type { CommandResult, World as LabWorld } from '../../cluster/index.ts';
import { HOLDS, missing, type Verdict } from './verdict.ts';

export async function checkCommand(world: LabWorld, condition: CommandCondition): Promise<Verdict> {
  if (condition.machine !== undefined) {
    return judge(condition, [await world.runOnMachine(condition.machine, condition.run)]);
  }
  const { namespace, selector } = condition.pods!;
  const { items } = await world.api.list<Pod>(resources.pods, { namespace, labelSelector: selector });
  const running = items.filter(
    (pod) => pod.status?.phase === 'Running' && pod.metadata.deletionTimestamp === undefined,
  );
  if (running.length === 0) {
    return missing(
      `没有带标签 ${selector} 的 Pod 在运行。`,
      `No Pod with the labels ${selector} is running.`,
    );
  }
  const results: CommandResult[] = [];
  for (const pod of running) {
    results.push(await world.runInPod(namespace, pod.metadata.name, ['sh', '-c', condition.run]));
  }
  return judge(condition, results);
}

function judge({ run, expect }: CommandCondition, results: readonly CommandResult[]): Verdict {
  const exitCode = expect.exitCode ?? 0;
  const wrong = results.find((result) => result.exitCode !== exitCode);
  if (wrong !== undefined) {
    const said = wrong.stderr.trim().split('\n').at(-1) ?? '';
    return missing(
      `命令 ${run} 以 ${wrong.exitCode} 结束，应为 ${exitCode}。${said}`,
      `The command ${run} ended with ${wrong.exitCode} instead of ${exitCode}. ${said}`.trim(),
    );
  }
  const outputs = results.map((result) => result.stdout.trim());
  if (expect.stdout !== undefined) {
    const pattern = new RegExp(expect.stdout, 'm');
    const other = outputs.find((output) => !pattern.test(output));
    if (other !== undefined) {
      return missing(
        `命令 ${run} 的输出是 ${quoted([other])}，与 ${expect.stdout} 不符。`,
        `The command ${run} printed ${quoted([other])}, which doesn't match ${expect.stdout}.`,
      );
    }
  }
  if (
    expect.outputs !== undefined &&
    [...outputs].sort().join('\0') !== [...expect.outputs].sort().join('\0')
  ) {
    return missing(
      `找到的是 ${quoted(outputs)}，应为 ${quoted(expect.outputs)}。`,
      `Found ${quoted(outputs)}, expected ${quoted(expect.outputs)}.`,
    );
  }
  return HOLDS;
}

/** Characters of an output that a sentence quotes at the most. */
const QUOTE_LENGTH_MAX = 60;

/** Outputs in quotation marks, shortened, each once with how often it came. */
export function quoted(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .map(([text, count]) => {
      const line = text.replace(/\s+/g, ' ');
      const short = line.length > QUOTE_LENGTH_MAX ? `${line.slice(0, QUOTE_LENGTH_MAX)}…` : line;
      return `"${short}"${count > 1 ? ` (${count}×)` : ''}`;
    })
    .join(', ');
}
