/**
 * Configuration files with the places of their secrets marked. The text with its marks is public and stands in a
 * ConfigMap; `secretScript` puts the values in, from files, in the pod's own memory. So the text has one source: the
 * generator is given a mark where the drill on one machine gives it the password.
 */

/** Stands for the secret itself, or for one `field = value` of a secret in AWS's shared credentials format. Plain to
 * every format that it is written in: no quotes, no escapes. */
export const secretMark = (name: string, field?: "aws_access_key_id" | "aws_secret_access_key"): string => `@secret:${name}${field === undefined ? "" : `/${field}`}@`;
/** Stands for the SHA-256 of the secret in hexadecimal. */
export const hashMark = (name: string): string => `@sha256:${name}@`;

const mark = /@(?:secret|sha256):([a-z0-9-]+)(?:\/[a-z_]+)?@/g;
/** Whether a text is one hash's mark and nothing else. */
export const isHashMark = (text: string): boolean => /^@sha256:[a-z0-9-]+@$/.test(text);
/** The names of all secrets that texts want, each once, sorted. */
export const secretsWanted = (texts: readonly string[]): readonly string[] => [...new Set(texts.flatMap((text) => [...text.matchAll(mark)].flatMap(([, name]) => (name === undefined ? [] : [name]))))].sort();

/** Passwords as `BackupSecrets` makes them: letters and digits, and what base64 adds. None of them means anything to
 * Redis, YAML or a shell, so no format needs an escape. */
const plainSecret = "A-Za-z0-9._~+/=-";

/**
 * POSIX shell: `sh SCRIPT SECRETS-FOLDER FROM-FOLDER TO-FOLDER NAME…` writes each file with its marks replaced by what
 * SECRETS-FOLDER/NAME/value holds. Values go through builtins only, so none is ever an argument of a process.
 */
export const secretScript = `set -eu
umask 077
secrets=$1 from=$2 to=$3
shift 3

value_of() {
  case $1 in
    */*) value=$(sed -n "s/^ *\${1#*/} *= *//p" "$secrets/\${1%/*}/value") ;;
    *) value=$(cat "$secrets/$1/value") ;;
  esac
  case $value in
    '' | *[!${plainSecret}]*)
      echo "the secret $1 is empty, or holds other characters than ${plainSecret}" >&2
      exit 1
      ;;
  esac
}

render() {
  while IFS= read -r line || [ -n "$line" ]; do
    while :; do
      case $line in
        *@secret:*@*)
          after=\${line#*@secret:}
          value_of "\${after%%@*}"
          line=\${line%%@secret:*}$value\${after#*@}
          ;;
        *@sha256:*@*)
          after=\${line#*@sha256:}
          value_of "\${after%%@*}"
          sum=$(printf %s "$value" | sha256sum)
          line=\${line%%@sha256:*}\${sum%% *}\${after#*@}
          ;;
        *) break ;;
      esac
    done
    printf '%s\\n' "$line"
  done < "$from/$1" > "$to/$1"
}

for name; do render "$name"; done
`;
