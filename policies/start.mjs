// Where Pulumi starts the pack. It runs every pack under a ts-node of its own, whatever PulumiPolicy.yaml says, and that
// takes no import ending in .ts; what a JavaScript module imports is left to Node, which strips the types itself.
import "./index.ts";
