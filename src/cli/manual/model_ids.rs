//! The ids of models in completions: `clap_complete` knows the command line, and not what lies in a catalog.

use super::Shell;

/// The ids that `artificio models --json` lists.
const BASH: &str = r#"
_artificio_models() {
    local options=() at value
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
            --root | --config)
                # Usually bash takes the "=" for a word.
                value=$((at + 1))
                [[ ${COMP_WORDS[value]} != = ]] || value=$((at + 2))
                options+=("${COMP_WORDS[at]}" "${COMP_WORDS[value]}")
                ;;
            --root=* | --config=*) options+=("${COMP_WORDS[at]}") ;;
        esac
    done
    "$1" "${options[@]}" models --json 2>/dev/null | sed -n 's/^ *"id": "\(.*\)",\{0,1\}$/\1/p'
}

_artificio_and_models() {
    if [[ " ${COMP_WORDS[*]:0:COMP_CWORD} " == *" models "*"rollback "* && $2 != -* && $3 != --* ]]; then
        COMPREPLY=($(compgen -W "$(_artificio_models "$1")" -- "$2"))
    else
        _artificio "$@"
    fi
}
complete -F _artificio_and_models -o bashdefault -o default artificio
"#;

// The words that zsh gives here begin at the command; the root stands before it.
const ZSH: &str = r#"(( $+functions[_artificio_models] )) ||
_artificio_models() {
    local -a ids options typed=(${(z)LBUFFER})
    local at
    for ((at = 2; at < $#typed; at++)); do
        case $typed[at] in
            --root|--config) options+=($typed[at] "${(Q)typed[at + 1]}") ;;
            --root=*|--config=*) options+=("${(Q)typed[at]}") ;;
        esac
    done
    ids=(${(f)"$($typed[1] $options models --json 2>/dev/null | sed -n 's/^ *"id": "\(.*\)",\{0,1\}$/\1/p')"})
    compadd -a ids
}

"#;
/// Where clap's script starts the completion.
const ZSH_START: &str = "if [ \"$funcstack[1]\" = \"_artificio\" ]";
/// What it offers for the id, whose help ends so.
const ZSH_ID: &str = "(default\\: the one before the one in use):_default'";

const FISH: &str = r#"function __fish_artificio_models
    set -l typed (commandline -opc)
    set -l options
    for at in (seq 2 (count $typed))
        switch $typed[$at]
            case --root --config
                set -a options $typed[$at] $typed[(math $at + 1)]
            case '--root=*' '--config=*'
                set -a options $typed[$at]
        end
    end
    $typed[1] $options models --json 2>/dev/null | string match -rg '^ *"id": "(.*)",?$'
end
complete -c artificio -n "__fish_artificio_using_subcommand models; and __fish_seen_subcommand_from rollback" -f -a "(__fish_artificio_models)"
"#;

/// `script` as it is, and the ids of models where one is expected.
pub(super) fn with_model_ids(shell: Shell, script: String) -> String {
    match shell {
        Shell::Bash => script + BASH,
        Shell::Zsh => {
            let with_id = script.replace(ZSH_ID, &ZSH_ID.replace("_default", "_artificio_models"));
            with_id.replacen(ZSH_START, &format!("{ZSH}{ZSH_START}"), 1)
        }
        Shell::Fish => script + FISH,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::completions;
    use super::*;

    /// What bash offers after these words, the last of them being typed.
    fn offered(words: &[&str]) -> Vec<String> {
        let stub = r#"artificio() { [[ "$*" == "--root /r models --json" ]] && printf '  "id": "m7-20260101",\n  "id": "m8-20260102"\n'; }"#;
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let list: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "{stub}\n{}\nCOMP_WORDS=({}); COMP_CWORD={}; _artificio_and_models artificio '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            completions(Shell::Bash),
            list.join(" "),
            words.len() - 1
        );
        let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(Into::into).collect()
    }

    #[test]
    fn bash_offers_the_models_of_the_root_that_is_typed() {
        assert_eq!(offered(&["artificio", "--root", "/r", "models", "rollback", ""]), ["m7-20260101", "m8-20260102"]);
        assert_eq!(
            offered(&["artificio", "--root", "=", "/r", "models", "rollback", ""]),
            ["m7-20260101", "m8-20260102"]
        );
        assert_eq!(offered(&["artificio", "--root", "/r", "models", "rollback", "m8"]), ["m8-20260102"]);
        assert_eq!(offered(&["artificio", "mod"]), ["models"]);
        assert!(offered(&["artificio", "models", "rollback", "--ro"]).contains(&"--root".to_string()));
    }

    #[test]
    fn the_other_shells_ask_for_the_models_where_one_is_expected() {
        let zsh = completions(Shell::Zsh);
        assert_eq!(zsh.matches("_artificio_models'").count(), 1, "{zsh}");
        assert!(zsh.find("_artificio_models()").unwrap() < zsh.find(ZSH_START).unwrap());
        assert!(completions(Shell::Fish).ends_with(FISH));
    }
}
