// Reads lab folders: YAML against the schema, step texts and solutions beside it. Every fault is a line with its place.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { Localized } from '../../preload/contract.ts';
import type { OwnImage } from '../images/index.ts';
import { parseDuration } from './duration.ts';
import type { Condition, Lab, LabStep } from './lab.ts';

/** A fault in a lab folder: where, what, and how to mend it. */
export interface LabFault {
  readonly file: string;
  /** From 1; absent when the file itself is missing. */
  readonly line?: number;
  readonly message: string;
}

/** A lab that can't be used; `message` lists its faults, one a line. */
export class LabError extends Error {
  readonly faults: readonly LabFault[];
  constructor(faults: readonly LabFault[]) {
    super(
      faults
        .map(({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`}: ${message}`)
        .join('\n'),
    );
    this.faults = faults;
  }
}

export interface CourseFolder {
  readonly id: string;
  readonly title: Localized;
  readonly labIds: readonly string[];
}

interface LabYaml {
  title: Localized;
  summary: Localized;
  aims: Localized[];
  minutes: number;
  level: Lab['level'];
  profile: string;
  images?: ImageYaml[];
  steps: {
    name: string;
    title: Localized;
    machine?: string;
    checks: ({ id: string; title: Localized; points: number; within?: string } & ConditionYaml)[];
    hints?: { cost: number; text: Localized }[];
  }[];
}

type ConditionYaml = Record<string, unknown>;

interface ImageYaml {
  name: string;
  base: string;
  files?: Record<string, string>;
  entrypoint?: string[];
  command?: string[];
  env?: Record<string, string>;
  user?: string;
  workingDirectory?: string;
  exposedPorts?: number[];
  labels?: Record<string, string>;
}

/** The courses under a labs folder, with the ids of their labs, by name. */
export function listCourses(labsFolder: string): CourseFolder[] {
  return subfolders(labsFolder)
    .filter((course) => existsSync(join(labsFolder, course, 'course.yaml')))
    .map((course) => {
      const { title } = readYaml<{ title: Localized }>(
        labsFolder,
        join(labsFolder, course, 'course.yaml'),
        'course',
      ).value;
      const labs = subfolders(join(labsFolder, course)).filter((lab) =>
        existsSync(join(labsFolder, course, lab, 'lab.yaml')),
      );
      return { id: course, title, labIds: labs.map((lab) => `${course}/${lab}`) };
    });
}

/** Reads one lab. Throws LabError with everything that is wrong with it. */
export function loadLab(labsFolder: string, id: string): Lab {
  const folder = join(labsFolder, id);
  const file = join(folder, 'lab.yaml');
  if (!/^[\w-]+\/[\w-]+$/.test(id) || !existsSync(file)) {
    const known = listCourses(labsFolder).flatMap((course) => course.labIds);
    throw new LabError([
      { file: `${id}/lab.yaml`, message: `there is no such lab; known are ${known.join(', ')}` },
    ]);
  }
  const { value, lineOf } = readYaml<LabYaml>(labsFolder, file, 'lab');
  const faults: LabFault[] = [];
  const steps = value.steps.map((step, index): LabStep => {
    const text = (name: string): string => {
      const path = join(folder, 'steps', name);
      if (existsSync(path)) return readFileSync(path, 'utf8');
      faults.push({
        file: relative(labsFolder, file),
        line: lineOf(['steps', index, 'name']),
        message: `the step "${step.name}" needs the file steps/${name}`,
      });
      return '';
    };
    return {
      name: step.name,
      title: step.title,
      text: { zh: text(`${step.name}.zh.md`), en: text(`${step.name}.en.md`) },
      checks: step.checks.map((check) => ({
        id: check.id,
        title: check.title,
        points: check.points,
        condition: conditionOf(check),
        withinMs: check.within === undefined ? 0 : parseDuration(check.within),
      })),
      hints: step.hints ?? [],
      solution: text(`${step.name}.sh`),
      solutionMachine: step.machine ?? 'master1',
    };
  });
  const images = (value.images ?? []).map((image, index): OwnImage => {
    const files = Object.entries(image.files ?? {}).map(([path, source]): [string, string] => {
      const from = join(folder, 'images', source);
      if (existsSync(from)) return [path, readFileSync(from, 'utf8')];
      faults.push({
        file: relative(labsFolder, file),
        line: lineOf(['images', index, 'files', path]),
        message: `the image "${image.name}" needs the file images/${source}`,
      });
      return [path, ''];
    });
    return { ...image, files: Object.fromEntries(files) };
  });
  if (faults.length > 0) throw new LabError(faults);
  const { title, summary, aims, minutes, level, profile } = value;
  return { id, course: dirname(id), folder, title, summary, aims, minutes, level, profile, images, steps };
}

function conditionOf(yaml: ConditionYaml): Condition {
  for (const kind of ['objects', 'command', 'http', 'history'] as const) {
    if (yaml[kind] !== undefined) return { kind, [kind]: yaml[kind] } as unknown as Condition;
  }
  for (const kind of ['all', 'any'] as const) {
    if (Array.isArray(yaml[kind])) return { kind, of: (yaml[kind] as ConditionYaml[]).map(conditionOf) };
  }
  return { kind: 'not', of: conditionOf(yaml['not'] as ConditionYaml) };
}

const validators = new Map<string, ValidateFunction>();

function validatorFor(labsFolder: string, schema: string): ValidateFunction {
  const path = join(labsFolder, `${schema}.schema.json`);
  let validator = validators.get(path);
  if (validator === undefined) {
    const parsed = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    validator = new Ajv2020({ allErrors: true, strict: false }).compile(parsed);
    validators.set(path, validator);
  }
  return validator;
}

function readYaml<T>(
  labsFolder: string,
  path: string,
  schema: string,
): { value: T; lineOf: (at: (string | number)[]) => number } {
  const file = relative(labsFolder, path);
  const counter = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: counter });
  const line = (offset: number): number => counter.linePos(offset).line;
  if (document.errors.length > 0) {
    throw new LabError(
      document.errors.map((error) => ({
        file,
        line: line(error.pos[0]),
        message: error.message.split('\n')[0]!,
      })),
    );
  }
  const lineOf = (at: (string | number)[]): number => {
    for (let depth = at.length; depth >= 0; depth--) {
      const node = document.getIn(at.slice(0, depth), true);
      if (isNode(node) && node.range) return line(node.range[0]);
    }
    return 1;
  };
  const value = document.toJS() as T;
  const validate = validatorFor(labsFolder, schema);
  if (!validate(value)) {
    throw new LabError(
      (validate.errors ?? []).filter(isTelling).map((error) => ({ file, ...explain(error, lineOf) })),
    );
  }
  return { value, lineOf };
}

/** ajv reports a failed `oneOf` beside the reasons; the reasons are what a person can mend. */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== 'if';
}

function explain(
  error: ErrorObject,
  lineOf: (at: (string | number)[]) => number,
): { line: number; message: string } {
  const at = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const where = at.length === 0 ? 'the file' : at.join('.');
  const params = error.params as Record<string, unknown>;
  const extra =
    error.keyword === 'additionalProperties'
      ? ` ("${String(params['additionalProperty'])}")`
      : error.keyword === 'enum'
        ? ` (${(params['allowedValues'] as unknown[]).join(', ')})`
        : '';
  return { line: lineOf(at), message: `${where} ${error.message ?? 'is wrong'}${extra}` };
}

function subfolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => basename(entry.name))
    .sort();
}
