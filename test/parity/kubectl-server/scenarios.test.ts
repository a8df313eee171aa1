// What the scenarios cover between them: every verb of kubectl that talks to a server.
import path from 'node:path';
import { expect, test } from 'vitest';
import { knownFailures } from './known-failures.ts';
import { readScenarios } from './scenario.ts';

const VERBS =
  'annotate api-resources api-versions apply attach auth autoscale certificate cluster-info cordon uncordon cp create debug delete describe diff drain edit events exec explain expose get label logs patch port-forward proxy replace rollout run scale set taint top version wait'.split(
    ' ',
  );
const GENERATORS =
  'clusterrole clusterrolebinding configmap cronjob deployment ingress job namespace poddisruptionbudget priorityclass quota role rolebinding secret service serviceaccount token'.split(
    ' ',
  );
const scenarios = ['together', 'alone'].flatMap((folder) =>
  readScenarios(path.join(import.meta.dirname, folder)),
);
const commands = scenarios.flatMap(({ steps }) =>
  steps.map((step) => (step.kind === 'advance' ? '' : step.command)),
);

test('there are at least 250 scenarios, each with a title of its own', () => {
  const titles = scenarios.map(({ title }) => title);
  expect(titles.length).toBeGreaterThanOrEqual(250);
  expect(new Set(titles).size).toBe(titles.length);
  expect([...knownFailures.keys()].filter((title) => !titles.includes(title))).toEqual([]);
});

test.each(VERBS)('kubectl %s is used', (verb) => {
  expect(commands.some((command) => new RegExp(`kubectl (?:-\\S+ )*${verb}\\b`).test(command))).toBe(true);
});

test.each(GENERATORS)('kubectl create %s is used', (generator) => {
  expect(commands.some((command) => command.includes(`kubectl create ${generator} `))).toBe(true);
});
