// Asks with Anthropic's and OpenAI's libraries, configured by nothing but the environment.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const message = await new Anthropic({ maxRetries: 0 }).messages.create({
  model: 'any', max_tokens: 8, messages: [{ role: 'user', content: 'ping' }],
});
if (message.content[0].text !== 'pong') throw new Error('Anthropic: ' + JSON.stringify(message));

const chat = await new OpenAI({ maxRetries: 0 }).chat.completions.create({
  model: 'any', messages: [{ role: 'user', content: 'ping' }],
});
if (chat.choices[0].message.content !== 'pong') throw new Error('OpenAI: ' + JSON.stringify(chat));
