// The line from a Service to what answers for it: down, along a lane of its own, down beside the target, and in.

interface Point {
  readonly x: number;
  readonly y: number;
}

const LANE_FIRST = 11;
const LANE_STEP = 5;
const LANES = 6;
/** Left of a Pod: where the line comes down. */
const DROP_FIRST = 8;
const DROP_STEP = 4;
const DROPS = 4;
const CORNER = 5;

/** An SVG path. `lane` tells the lines of different Services apart; `into` is the target's side that it enters. */
export function wirePath(source: Point, target: Point, lane: number, into: 'left' | 'top'): string {
  const laneY = source.y + LANE_FIRST + (lane % LANES) * LANE_STEP;
  const dropX = into === 'top' ? target.x : target.x - DROP_FIRST - (lane % DROPS) * DROP_STEP;
  const corners: Point[] = [source, { x: source.x, y: laneY }, { x: dropX, y: laneY }];
  if (into === 'left') corners.push({ x: dropX, y: target.y });
  return rounded([...corners, target]);
}

function rounded(points: readonly Point[]): string {
  const [first, ...rest] = points;
  let path = `M${first!.x} ${first!.y}`;
  rest.forEach((corner, index) => {
    const before = points[index]!;
    const after = rest[index + 1];
    if (after === undefined) {
      path += `L${corner.x} ${corner.y}`;
      return;
    }
    const radius = Math.min(CORNER, distance(before, corner) / 2, distance(corner, after) / 2);
    const start = towards(corner, before, radius);
    const end = towards(corner, after, radius);
    path += `L${start.x} ${start.y}Q${corner.x} ${corner.y} ${end.x} ${end.y}`;
  });
  return path;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function towards(from: Point, to: Point, by: number): Point {
  const length = distance(from, to);
  if (length === 0) return from;
  return { x: from.x + ((to.x - from.x) * by) / length, y: from.y + ((to.y - from.y) * by) / length };
}
