// Scenarios that don't pass yet, by title, each with the reason; the aim is none.
export const knownFailures: ReadonlyMap<string, string> = new Map([
  [
    "autoscaling/v1 shows the processor's target as its own field",
    'HorizontalPodAutoscalers are kept and shown as autoscaling/v2 in both versions',
  ],
]);
