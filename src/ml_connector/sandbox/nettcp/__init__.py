"""net.tcp as a stand-in serves it: WCF's binding of SOAP 1.2, addressing and binary XML to one TCP connection.

    framing     records on the connection, the preamble, framing faults        (MC-NMF)
    strings     the numbered strings of the encoding and of a connection       (MC-NBFS, MC-NBFSE)
    texts       values as they stand in text records                           (MC-NBFX)
    reader      binary XML to elements, within the quotas of a reader
    writer      elements to binary XML
    envelope    headers in and out, faults
    spoiling    answers that are wrong on purpose
    connection  one client: preamble, upgrade, sessions, calls to the kernel
    listener    the port

A stand-in that has a `Service` is served so beside its HTTP. What .NET does where the published specifications
are silent is from general knowledge of it, not from a recording.
"""
