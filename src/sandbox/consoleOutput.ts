/**
 * GetConsoleOutput: what an instance's host wrote, its user data's output among it. `Latest` makes no difference:
 * it is always the latest. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
 */
import { theInstance } from "./find.ts";
import type { Ec2Handlers } from "./world.ts";

export const consoleHandlers = {
  GetConsoleOutput(call, input) {
    const { id } = theInstance(call, input.InstanceId);
    const { output, at } = call.consoles.of(id);
    return {
      InstanceId: id,
      Timestamp: new Date(at ?? call.now),
      ...(output ? { Output: output.toString("base64") } : {}),
    };
  },
} satisfies Ec2Handlers;
