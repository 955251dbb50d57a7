/** What rules about Cloudflare's tokens share. */
export const tokenTypes: readonly string[] = ["cloudflare:index/accountToken:AccountToken", "cloudflare:index/apiToken:ApiToken"];
