import { userInfo } from "node:os";

/** The home of this account by the user database; `undefined` where it has none there, as in many containers. */
export function accountHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined; // nothing more is said about an account that is not in the database
  }
}
