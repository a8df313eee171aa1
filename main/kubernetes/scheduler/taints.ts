// Taints and tolerations: which nodes repel which pods (component-helpers scheduling/corev1).
import type { Taint, Toleration } from '../api/index.ts';

/** True if the toleration covers the taint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const effect: string = toleration.effect ?? ''; // What came as an empty text counts as absent.
  if (effect !== '' && effect !== taint.effect) return false;
  const key = toleration.key ?? '';
  if (key !== '' && key !== taint.key) return false;
  const operator: string = toleration.operator ?? '';
  switch (operator) {
    case 'Exists':
      return true;
    case 'Equal':
    case '':
      return (toleration.value ?? '') === (taint.value ?? '');
    default:
      return false;
  }
}

/** The first taint with one of these effects that no toleration covers. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return taints?.find(
    (taint) =>
      effects.includes(taint.effect) &&
      tolerations?.some((toleration) => tolerates(toleration, taint)) !== true,
  );
}
