// Scenarios that don't pass yet, by title, each with the reason; the aim is none.
export const knownFailures: ReadonlyMap<string, string> = new Map([
  [
    "autoscaling/v1 shows the processor's target as its own field",
    'HorizontalPodAutoscalers are kept and shown as autoscaling/v2 in both versions',
  ],
  [
    'A grace period that has begun may be shortened',
    'a pod worker that waits for its containers to end keeps to the first grace period',
  ],
]);
