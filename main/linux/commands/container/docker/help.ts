// docker's help: the list of its commands, and how each is used.

/** What docker prints without a command; `{name}` stands for the program. */
export const COMMAND_LIST = `
Usage:  docker [OPTIONS] COMMAND

A self-sufficient runtime for containers

Options:
      --config string      Location of client config files (default "/root/.docker")
  -c, --context string     Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "docker
                           context use")
  -D, --debug              Enable debug mode
  -H, --host list          Daemon socket(s) to connect to
  -l, --log-level string   Set the logging level ("debug"|"info"|"warn"|"error"|"fatal") (default "info")
      --tls                Use TLS; implied by --tlsverify
      --tlscacert string   Trust certs signed only by this CA (default "/root/.docker/ca.pem")
      --tlscert string     Path to TLS certificate file (default "/root/.docker/cert.pem")
      --tlskey string      Path to TLS key file (default "/root/.docker/key.pem")
      --tlsverify          Use TLS and verify the remote
  -v, --version            Print version information and quit

Management Commands:
  builder     Manage builds
  completion  Generate the autocompletion script for the specified shell
  config      Manage Docker configs
  container   Manage containers
  context     Manage contexts
  image       Manage images
  manifest    Manage Docker image manifests and manifest lists
  network     Manage networks
  node        Manage Swarm nodes
  plugin      Manage plugins
  secret      Manage Docker secrets
  service     Manage services
  stack       Manage Docker stacks
  swarm       Manage Swarm
  system      Manage Docker
  trust       Manage trust on Docker images
  volume      Manage volumes

Commands:
  attach      Attach local standard input, output, and error streams to a running container
  build       Build an image from a Dockerfile
  commit      Create a new image from a container's changes
  cp          Copy files/folders between a container and the local filesystem
  create      Create a new container
  diff        Inspect changes to files or directories on a container's filesystem
  events      Get real time events from the server
  exec        Run a command in a running container
  export      Export a container's filesystem as a tar archive
  history     Show the history of an image
  images      List images
  import      Import the contents from a tarball to create a filesystem image
  info        Display system-wide information
  inspect     Return low-level information on Docker objects
  kill        Kill one or more running containers
  load        Load an image from a tar archive or STDIN
  login       Log in to a Docker registry
  logout      Log out from a Docker registry
  logs        Fetch the logs of a container
  pause       Pause all processes within one or more containers
  port        List port mappings or a specific mapping for the container
  ps          List containers
  pull        Pull an image or a repository from a registry
  push        Push an image or a repository to a registry
  rename      Rename a container
  restart     Restart one or more containers
  rm          Remove one or more containers
  rmi         Remove one or more images
  run         Run a command in a new container
  save        Save one or more images to a tar archive (streamed to STDOUT by default)
  search      Search the Docker Hub for images
  start       Start one or more stopped containers
  stats       Display a live stream of container(s) resource usage statistics
  stop        Stop one or more running containers
  tag         Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
  top         Display the running processes of a container
  unpause     Unpause all processes within one or more containers
  update      Update configuration of one or more containers
  version     Show the Docker version information
  wait        Block until one or more containers stop, then print their exit codes

Run 'docker COMMAND --help' for more information on a command.

To get more help with docker, check out our guides at https://docs.docker.com/go/guides/
`;

interface Help {
  readonly form: string;
  readonly summary: string;
  readonly options?: string;
}

const HELP: Readonly<Record<string, Help>> = {
  attach: {
    form: '[OPTIONS] CONTAINER',
    summary: 'Attach local standard input, output, and error streams to a running container',
  },
  build: {
    form: '[OPTIONS] PATH | URL | -',
    summary: 'Build an image from a Dockerfile',
    options:
      "      --build-arg list      Set build-time variables\n  -f, --file string         Name of the Dockerfile (Default is 'PATH/Dockerfile')\n      --no-cache            Do not use cache when building the image\n  -q, --quiet               Suppress the build output and print image ID on success\n  -t, --tag list            Name and optionally a tag in the 'name:tag' format\n      --target string       Set the target build stage to build.\n",
  },
  commit: {
    form: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
    summary: "Create a new image from a container's changes",
  },
  cp: {
    form: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
    summary: 'Copy files/folders between a container and the local filesystem',
  },
  create: { form: '[OPTIONS] IMAGE [COMMAND] [ARG...]', summary: 'Create a new container' },
  exec: {
    form: '[OPTIONS] CONTAINER COMMAND [ARG...]',
    summary: 'Run a command in a running container',
    options:
      '  -d, --detach               Detached mode: run command in the background\n  -e, --env list             Set environment variables\n  -i, --interactive          Keep STDIN open even if not attached\n  -t, --tty                  Allocate a pseudo-TTY\n  -w, --workdir string       Working directory inside the container\n',
  },
  images: {
    form: '[OPTIONS] [REPOSITORY[:TAG]]',
    summary: 'List images',
    options:
      "  -a, --all             Show all images (default hides intermediate images)\n      --digests         Show digests\n  -f, --filter filter   Filter output based on conditions provided\n      --format string   Pretty-print images using a Go template\n      --no-trunc        Don't truncate output\n  -q, --quiet           Only show image IDs\n",
  },
  inspect: {
    form: '[OPTIONS] NAME|ID [NAME|ID...]',
    summary: 'Return low-level information on Docker objects',
    options:
      '  -f, --format string   Format the output using the given Go template\n  -s, --size            Display total file sizes if the type is container\n      --type string     Return JSON for specified type\n',
  },
  kill: {
    form: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Kill one or more running containers',
    options: '  -s, --signal string   Signal to send to the container (default "KILL")\n',
  },
  load: {
    form: '[OPTIONS]',
    summary: 'Load an image from a tar archive or STDIN',
    options:
      '  -i, --input string   Read from tar archive file, instead of STDIN\n  -q, --quiet          Suppress the load output\n',
  },
  logs: {
    form: '[OPTIONS] CONTAINER',
    summary: 'Fetch the logs of a container',
    options:
      '      --details        Show extra details provided to logs\n  -f, --follow         Follow log output\n      --since string   Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)\n  -n, --tail string    Number of lines to show from the end of the logs (default "all")\n  -t, --timestamps     Show timestamps\n      --until string   Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)\n',
  },
  network: { form: 'COMMAND', summary: 'Manage networks' },
  ps: {
    form: '[OPTIONS]',
    summary: 'List containers',
    options:
      "  -a, --all             Show all containers (default shows just running)\n  -f, --filter filter   Filter output based on conditions provided\n      --format string   Pretty-print containers using a Go template\n  -n, --last int        Show n last created containers (includes all states) (default -1)\n  -l, --latest          Show the latest created container (includes all states)\n      --no-trunc        Don't truncate output\n  -q, --quiet           Only display container IDs\n  -s, --size            Display total file sizes\n",
  },
  pull: { form: '[OPTIONS] NAME[:TAG|@DIGEST]', summary: 'Pull an image or a repository from a registry' },
  restart: { form: '[OPTIONS] CONTAINER [CONTAINER...]', summary: 'Restart one or more containers' },
  rm: {
    form: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Remove one or more containers',
    options:
      '  -f, --force     Force the removal of a running container (uses SIGKILL)\n  -l, --link      Remove the specified link\n  -v, --volumes   Remove anonymous volumes associated with the container\n',
  },
  rmi: {
    form: '[OPTIONS] IMAGE [IMAGE...]',
    summary: 'Remove one or more images',
    options:
      '  -f, --force      Force removal of the image\n      --no-prune   Do not delete untagged parents\n',
  },
  run: { form: '[OPTIONS] IMAGE [COMMAND] [ARG...]', summary: 'Run a command in a new container' },
  save: {
    form: '[OPTIONS] IMAGE [IMAGE...]',
    summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  },
  start: { form: '[OPTIONS] CONTAINER [CONTAINER...]', summary: 'Start one or more stopped containers' },
  stats: {
    form: '[OPTIONS] [CONTAINER...]',
    summary: 'Display a live stream of container(s) resource usage statistics',
  },
  stop: {
    form: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'Stop one or more running containers',
    options: '  -t, --time int   Seconds to wait for stop before killing it (default 10)\n',
  },
  tag: {
    form: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
    summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  },
  top: { form: 'CONTAINER [ps OPTIONS]', summary: 'Display the running processes of a container' },
  volume: { form: 'COMMAND', summary: 'Manage volumes' },
};

/** What --help prints. */
export function helpOf(program: string, command: string): string {
  const help = HELP[command] ?? { form: '[OPTIONS]', summary: '' };
  return `\nUsage:  ${program} ${command} ${help.form}\n\n${help.summary}\n${help.options === undefined ? '' : `\nOptions:\n${help.options}`}`;
}
