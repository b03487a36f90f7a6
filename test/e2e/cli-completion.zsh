# What zsh makes of words when Tab is pressed: zsh -f cli-completion.zsh FOLDER WORDS… → a line for each.
# A shell on a terminal of its own is typed into; ^X prints what stands on its line.
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT= RPROMPT=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; unsetopt zle_bracketed_paste; show() { print -r -- \"<<\$BUFFER>>\"; BUFFER= }; zle -N show; bindkey '^X' show; print READY"
while zpty -r z line; do [[ $line == READY* ]] && break; done
for words in ${@:2}; do
  zpty -w -n z "$words"$'\t'
  zpty -w -n z $'\x18'
  while zpty -r z line; do if [[ $line == *'<<'*'>>'* ]]; then print -r -- "${${line##*<<}%%>>*}"; break; fi; done
done
zpty -d z
