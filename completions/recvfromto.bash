# bash completion for recvfromto, from bash 3.2 on
# Written by `npm run docs:command`.
_recvfromto() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "serve send probe audit doctor help version -v --version -h --help" -- "$word"))
    return
  fi
  case ${COMP_WORDS[1]} in
    serve)
      case $before in
        -p | --port | --host | --join) return ;;
      esac
      COMPREPLY=($(compgen -W "-p --port --host --join --upper --quiet --json -h --help" -- "$word"))
      ;;
    send)
      case $before in
        --from | --count | --timeout) return ;;
      esac
      [[ $word == -* ]] || { COMPREPLY=($(compgen -A hostname -- "$word")); return; }
      COMPREPLY=($(compgen -W "--from --count --timeout --json -h --help" -- "$word"))
      ;;
    probe)
      case $before in
        --protocol) COMPREPLY=($(compgen -W "dns ntp stun coap snmp sip tftp ssdp" -- "$word")); return ;;
        --from | --timeout | --tries) return ;;
      esac
      [[ $word == -* ]] || { COMPREPLY=($(compgen -A hostname -- "$word")); return; }
      COMPREPLY=($(compgen -W "--protocol --from --timeout --tries --json -h --help" -- "$word"))
      ;;
    audit)
      COMPREPLY=($(compgen -W "--json -h --help" -- "$word"))
      ;;
    doctor)
      COMPREPLY=($(compgen -W "--deep --json -h --help" -- "$word"))
      ;;
    help)
      COMPREPLY=($(compgen -W "serve send probe audit doctor" -- "$word"))
      ;;
    version)
      COMPREPLY=($(compgen -W "-h --help" -- "$word"))
      ;;
  esac
}
complete -F _recvfromto recvfromto
