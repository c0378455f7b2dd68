// Package scrub overwrites tokens in what an upstream answers, as it passes. It is for answers that somebody hostile may have had a
// hand in and whose bytes and timing they see, so that its one idea is: what it does with a text, how long that takes, and what it
// holds back, depends on the token only where the text has the whole of it. A matcher that advances byte by byte, or holds back
// what could be the beginning of a token, would tell whoever guesses how much of a guess is right.
package scrub
