// Compares one transcript with its recording.
import { masked, sortedLines } from './masks.ts';

/** Output whose lines come in no order: events of one second, environments, several containers, two streams of an exec. */
const UNORDERED = /\bevents?\b|\benv\b|\blogs\b|\bexec\b|\bdescribe\b.*\b(?:pod|pods)\b/;

/** Whether a transcript says what its recording says, apart from what varies. */
export function agrees(recorded: string, written: string): boolean {
  const [want, got] = [masked(recorded), masked(written)];
  if (want === got) return true;
  const command = recorded.split('\n', 1)[0]!;
  return UNORDERED.test(command) && sortedLines(want) === sortedLines(got);
}
