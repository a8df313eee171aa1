// The kubectl command and what is under it.
import type { Command } from '../frame/command.ts';
import { annotate } from './annotate.ts';
import { apiResources, apiVersions } from './api-resources.ts';
import { apply } from './apply.ts';
import { attach } from './attach.ts';
import { auth } from './auth/auth.ts';
import { autoscale } from './autoscale.ts';
import { certificate } from './certificate.ts';
import { clusterInfo } from './cluster-info.ts';
import { config } from './config/config.ts';
import { cp } from './cp/cp.ts';
import { create } from './create/create.ts';
import { deleteCommand } from './delete.ts';
import { describe } from './describe/describe.ts';
import { diff } from './diff.ts';
import { edit } from './edit.ts';
import { events } from './events.ts';
import { exec } from './exec.ts';
import { explain } from './explain/explain.ts';
import { expose } from './expose.ts';
import { get } from './get.ts';
import { kustomize } from './kustomize.ts';
import { label } from './label.ts';
import { logs } from './logs.ts';
import { cordon, drain, taint, uncordon } from './nodes.ts';
import { patch } from './patch.ts';
import { portForward } from './port-forward/port-forward.ts';
import { replace } from './replace.ts';
import { rollout } from './rollout/rollout.ts';
import { run } from './run.ts';
import { scale } from './scale.ts';
import { set } from './set/set.ts';
import { alpha, completion, options, plugin } from './simple.ts';
import { top } from './top.ts';
import { unsimulated } from './unsimulated.ts';
import { version } from './version.ts';
import { wait } from './wait.ts';

export const rootCommand: Command = {
  name: 'kubectl',
  commands: [
    alpha,
    annotate,
    apiResources,
    apiVersions,
    apply,
    attach,
    auth,
    autoscale,
    certificate,
    clusterInfo,
    completion,
    config,
    cordon,
    cp,
    create,
    unsimulated('debug'),
    deleteCommand,
    describe,
    diff,
    drain,
    edit,
    events,
    exec,
    explain,
    expose,
    get,
    kustomize,
    label,
    logs,
    options,
    patch,
    plugin,
    portForward,
    unsimulated('proxy'),
    replace,
    rollout,
    run,
    scale,
    set,
    taint,
    top,
    uncordon,
    version,
    wait,
  ],
};
