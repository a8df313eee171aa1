// Compares one transcript with its recording.
import { masked, sortedLines } from './masks.ts';

/**
 * Output whose lines come in no order: events of one second, environments, several containers, two streams of an exec,
 * and what kubectl prints from Go maps.
 */
const UNORDERED =
  /\bevents?\b|\benv\b|\blogs\b|\bexec\b|--list\b|\bdescribe (?:pods?|cm|ns|limits|rs|secret)\b|\bcomponentstatuses\b|-v=6\b|rollout (?:undo|history)/;

/** Whether a transcript says what its recording says, apart from what varies. */
export function agrees(recorded: string, written: string): boolean {
  const [want, got] = [masked(recorded), masked(written)];
  if (want === got) return true;
  const command = recorded.split('\n', 1)[0]!;
  return UNORDERED.test(command) && sortedLines(want) === sortedLines(got);
}
