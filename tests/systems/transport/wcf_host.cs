// A WCF service over net.tcp whose transport is not ours: the judge of our client.
//
//   mcs -r:System.ServiceModel.dll -r:System.Runtime.Serialization.dll -r:System.Xml.dll -out:host.exe wcf_host.cs
//   mono host.exe net.tcp://127.0.0.1:PORT/SYSPROWCFService Buffered|Streamed|StreamedResponse
//
// Says READY when it listens, and every document that it was given as "GOT <characters> <SHA-256 of its UTF-8>".
// The session id DEAD is refused as SYSPRO refuses one, MUTE gets no answer, KILL ends the process inside the call.

using System;
using System.IO;
using System.Security.Cryptography;
using System.ServiceModel;
using System.Text;
using System.Threading;

[ServiceContract(Name = "ISYSPROWcfService", Namespace = "http://SYSPROWcfService")]
public interface IEnet
{
    [OperationContract(
        Action = "GetVersion",
        ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/GetVersionResponse")]
    string GetVersion();

    [OperationContract(
        Action = "TransactionPost",
        ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/TransactionPostResponse")]
    string TransactionPost(string UserId, string BusinessObject, string XmlParameters, string XmlIn);

    [OperationContract(
        Action = "QueryQuery",
        ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/QueryQueryResponse")]
    Stream QueryQuery(string UserId, string BusinessObject, string XmlIn);
}

[ServiceBehavior(IncludeExceptionDetailInFaults = true)]
public class Enet : IEnet
{
    public string GetVersion()
    {
        return "8.0.0.1";
    }

    public string TransactionPost(string UserId, string BusinessObject, string XmlParameters, string XmlIn)
    {
        Seen(XmlIn);
        if (UserId == "DEAD")
            throw new FaultException(
                "The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
                + "You will need to logon again.");
        if (UserId == "MUTE")
            Thread.Sleep(60000);
        if (UserId == "KILL")
            Environment.Exit(3);
        // Null, empty and given arguments are told apart.
        return Told(BusinessObject) + "|" + Told(XmlParameters) + "|" + Told(XmlIn);
    }

    public Stream QueryQuery(string UserId, string BusinessObject, string XmlIn)
    {
        Seen(XmlIn);
        return new MemoryStream(Encoding.UTF8.GetBytes(XmlIn));
    }

    static string Told(string value)
    {
        return value ?? "(null)";
    }

    static void Seen(string document)
    {
        string text = document ?? "";
        byte[] hash = SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes(text));
        Console.WriteLine("GOT " + text.Length + " " + BitConverter.ToString(hash).Replace("-", "").ToLower());
        Console.Out.Flush();
    }
}

public static class Host
{
    public static void Main(string[] args)
    {
        NetTcpBinding binding = new NetTcpBinding(SecurityMode.None);
        binding.TransferMode = (TransferMode)Enum.Parse(typeof(TransferMode), args[1]);
        binding.MaxReceivedMessageSize = 64 * 1024 * 1024;
        binding.MaxBufferSize = 64 * 1024 * 1024;
        binding.ReaderQuotas.MaxStringContentLength = 64 * 1024 * 1024;
        ServiceHost host = new ServiceHost(typeof(Enet));
        host.AddServiceEndpoint(typeof(IEnet), binding, args[0]);
        host.Open();
        Console.WriteLine("READY");
        Console.Out.Flush();
        Thread.Sleep(Timeout.Infinite);
    }
}
