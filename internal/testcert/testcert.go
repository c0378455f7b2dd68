// Package testcert has what tests need of certificates.
package testcert

// Authority is the certificate of an authority, in PEM, that has signed nothing. It is valid from 1970 to 2096.
const Authority = `-----BEGIN CERTIFICATE-----
MIIBTzCB96ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBGNvcnAwIBcN
NzAwMTAxMDAwMDAwWhgPMjA5NjEwMDIwNzA2NDBaMA8xDTALBgNVBAMTBGNvcnAw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASlqbwE/BVx9OBBMUqTG5DqxzTMXQfq
xjIQVnFQ4Hxz7oYfrnwuZFMTI0IuLX05cN2vYjDbjwaM/h/Hz447Zrkho0IwQDAO
BgNVHQ8BAf8EBAMCAgQwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQULofMtPFB
QKBamz1CCebS5fkiM+AwCgYIKoZIzj0EAwIDRwAwRAIgKOX7VMSPYJWhMgQnae4R
cGEbSK6WOJ5/7mxCJZiUepkCIC8+dPW4ZF3ohLgkh6mf95CWiNCWO6o1iUMOAK42
sw86
-----END CERTIFICATE-----
`
