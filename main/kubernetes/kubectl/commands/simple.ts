// kubectl options, completion, plugin list: little commands without an object of their own.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { optionsText } from '../frame/help.ts';

export const options: Command = { name: 'options', run: runOptions };

async function runOptions({ kubectl, proc }: Invocation): Promise<number> {
  await kubectl.out(optionsText(proc.env.get('HOME') ?? '', proc.stdout.tty?.size.columns));
  return 0;
}

/** Asks kubectl itself what may follow, and hands it to bash. */
const COMPLETION_SCRIPT = `# bash completion for kubectl                                  -*- shell-script -*-

# Words that kubectl proposes for the line up to the cursor.
__kubectl_propose()
{
    local -a words
    local typed=\${COMP_LINE:0:COMP_POINT}
    read -ra words <<<"$typed"
    [[ $typed == *[[:space:]] ]] && words+=("")
    current=\${words[\${#words[@]}-1]}
    proposal=$("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
}

__start_kubectl()
{
    local current proposal directive line word description longest=0 room i
    local -a found=() descriptions=()
    __kubectl_propose
    COMPREPLY=()
    directive=\${proposal##*:}
    (((directive & 1) != 0)) && return
    (((directive & 2) != 0)) && compopt -o nospace
    (((directive & 4) != 0)) && compopt +o default
    # Behind --flag= only the value is proposed.
    [[ $current == -*=* ]] && current=\${current#*=}
    while IFS= read -r line; do
        word=\${line%%$'\\t'*}
        [[ -n $word && $word == "$current"* ]] || continue
        description=
        [[ $line == *$'\\t'* ]] && description=\${line#*$'\\t'}
        found+=("$word")
        descriptions+=("$description")
        ((\${#word} > longest)) && longest=\${#word}
    done <<<"\${proposal%:*}"
    if ((\${#found[@]} == 1)) || [[ $COMP_TYPE == 37 || $COMP_TYPE == 42 || -z \${descriptions[*]// } ]]; then
        COMPREPLY=("\${found[@]}")
    else
        room=$((COLUMNS - longest - 4))
        for i in "\${!found[@]}"; do
            description=\${descriptions[i]}
            ((room > 8 && \${#description} > room)) && description=\${description:0:room-1}…
            printf -v line '%-*s  (%s)' "$longest" "\${found[i]}" "$description"
            COMPREPLY+=("$line")
        done
    fi
    # bash completes only what stands behind the last colon.
    if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
        word=\${current%"\${current##*:}"}
        for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"$word"}; done
    fi
}

if [[ $(type -t compopt) == builtin ]]; then
    complete -o default -F __start_kubectl kubectl
else
    complete -o default -o nospace -F __start_kubectl kubectl
fi
`;

export const completion: Command = { name: 'completion', run: runCompletion };

async function runCompletion({ kubectl, args, path }: Invocation): Promise<number> {
  const [shell] = args;
  if (shell === undefined)
    throw new CommandError(`Shell not specified.\nSee '${path} -h' for help and examples`);
  if (args.length > 1)
    throw new CommandError(
      `Too many arguments. Expected only the shell type.\nSee '${path} -h' for help and examples`,
    );
  if (!['bash', 'zsh', 'fish', 'powershell'].includes(shell))
    throw new CommandError(`Unsupported shell type "${shell}".\nSee '${path} -h' for help and examples`);
  if (shell !== 'bash') throw new CommandError(`drydock: completion for ${shell} isn't simulated`, 'plain');
  await kubectl.out(COMPLETION_SCRIPT);
  return 0;
}

export const plugin: Command = {
  name: 'plugin',
  commands: [{ name: 'list', run: runPluginList }],
};

async function runPluginList({ kubectl, proc }: Invocation): Promise<number> {
  const found: string[] = [];
  for (const folder of (proc.env.get('PATH') ?? '').split(':')) {
    if (folder === '' || !proc.fs.exists(folder)) continue;
    for (const { name } of proc.fs.readdir(folder))
      if (name.startsWith('kubectl-')) found.push(`${folder}/${name}`);
  }
  if (found.length === 0) throw new CommandError('unable to find any kubectl plugins in your PATH');
  await kubectl.out(
    `The following compatible plugins are available:\n\n${found.map((path) => `${path}\n`).join('')}`,
  );
  return 0;
}

/** There has been nothing under it for years. */
export const alpha: Command = {
  name: 'alpha',
  hidden: true,
  async run({ kubectl }) {
    await kubectl.err('No alpha commands are available in this version of kubectl\n');
    return 0;
  },
};
