// What the package bash-completion gives to completion scripts: words with colons and equal signs whole, file names.

/** /usr/share/bash-completion/bash_completion: the helpers that scripts of other packages call. */
export const BASH_COMPLETION = `# bash_completion: helpers for programmable completion           -*- shell-script -*-

BASH_COMPLETION_VERSINFO=(2 11)

# Fills the caller's cur, prev, words and cword; characters given with -n don't break words.
_get_comp_words_by_ref()
{
    local __exclude= __flag OPTIND=1 OPTARG __cur= __prev= __words= __cword=
    while getopts "c:i:n:p:w:" __flag "$@"; do
        case $__flag in
            c) __cur=$OPTARG ;;
            i) __cword=$OPTARG ;;
            n) __exclude=$OPTARG ;;
            p) __prev=$OPTARG ;;
            w) __words=$OPTARG ;;
            *) return 1 ;;
        esac
    done
    shift $((OPTIND - 1))
    local __name
    for __name; do
        case $__name in
            cur) __cur=cur ;;
            prev) __prev=prev ;;
            words) __words=words ;;
            cword) __cword=cword ;;
            *) return 1 ;;
        esac
    done
    local -a __joined=()
    local __rest=$COMP_LINE __before __word __i __at=0 __apart=0 __last=0
    for ((__i = 0; __i < \${#COMP_WORDS[@]}; __i++)); do
        __word=\${COMP_WORDS[__i]}
        __before=$__rest
        __rest=\${__rest#"\${__rest%%[![:space:]]*}"}
        __apart=0
        if [[ -n $__exclude && -n $__word && -z \${__word//[$__exclude]/} ]]; then __apart=1; fi
        if ((__i > 0 && (__apart || __last))) && [[ $__before == "$__rest" ]]; then
            __joined[\${#__joined[@]}-1]+=$__word
        else
            __joined+=("$__word")
        fi
        __last=$__apart
        __rest=\${__rest#"$__word"}
        if ((__i == COMP_CWORD)); then __at=$((\${#__joined[@]} - 1)); fi
    done
    [[ -n $__cword ]] && printf -v "$__cword" %s "$__at"
    [[ -n $__cur ]] && printf -v "$__cur" %s "\${__joined[__at]}"
    [[ -n $__prev ]] && { ((__at > 0)) && printf -v "$__prev" %s "\${__joined[__at-1]}" || printf -v "$__prev" %s ""; }
    [[ -n $__words ]] && eval "$__words=(\\"\\\${__joined[@]}\\")"
    return 0
}

# The beginning of every completion function.
_init_completion()
{
    local exclude= flag OPTIND=1 OPTARG
    while getopts "n:e:o:i:s" flag "$@"; do
        [[ $flag == n ]] && exclude+=$OPTARG
    done
    COMPREPLY=()
    _get_comp_words_by_ref -n "$exclude<>&" cur prev words cword
}

# bash completes only what stands behind the last colon.
__ltrim_colon_completions()
{
    [[ $1 == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
    local prefix=\${1%"\${1##*:}"} i
    for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"$prefix"}; done
}

# Files, or directories with -d, or files with one of the endings given as a pattern.
_filedir()
{
    local name pattern=\${1-}
    compopt -o filenames 2>/dev/null
    [[ $pattern == -d ]] || while IFS= read -r name; do
        [[ -z $pattern || -d $name || $name == *.@($pattern) ]] && COMPREPLY+=("$name")
    done < <(compgen -f -- "\${cur-}")
    [[ $pattern == -d ]] && while IFS= read -r name; do
        COMPREPLY+=("$name")
    done < <(compgen -d -- "\${cur-}")
    return 0
}

# Scripts of single commands are read when they are first needed.
_completion_loader()
{
    local name=\${1##*/} directory
    for directory in /etc/bash_completion.d /usr/share/bash-completion/completions; do
        if [[ -n $name && -r $directory/$name ]]; then
            . "$directory/$name" && return 124
        fi
    done
    complete -o bashdefault -o default -- "$1" && return 124
}
complete -D -F _completion_loader

for __script in /etc/bash_completion.d/*; do
    [[ -f $__script && -r $__script ]] && . "$__script"
done
unset -v __script
`;

/** /etc/profile.d/bash_completion.sh. */
export const BASH_COMPLETION_PROFILE = `# Completion for people at a terminal.
if [ "x\${BASH_VERSION-}" != x ] && [ "x\${PS1-}" != x ] && [ "x\${BASH_COMPLETION_VERSINFO-}" = x ]; then
    if shopt -q progcomp && [ -r /usr/share/bash-completion/bash_completion ]; then
        . /usr/share/bash-completion/bash_completion
    fi
fi
`;
